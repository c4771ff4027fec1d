import subprocess
import sys

import numpy as np
import pytest

from components.artifacts.dataset import Split
from components.evaluate.measure.label_errors import likely_label_errors

LABELS = ("red", "green", "blue")
ROWS = 300


def labelled(wrong):
    """Rows that a sure model gets right, some of them with another label than they should have."""
    right = np.arange(ROWS) % 3
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(3), ROWS) * 0.2 + np.eye(3)[right] * 0.8
    labels = right.copy()
    labels[list(wrong)] = (labels[list(wrong)] + 1) % 3
    return Split([f"text {row}" for row in range(ROWS)], labels), probabilities, right


def test_wrong_labels_are_found_and_right_ones_suggested():
    wrong = range(5, 300, 25)
    split, probabilities, right = labelled(wrong)

    found = likely_label_errors(split, probabilities, LABELS)

    assert len(found) >= 8
    assert {error.row for error in found} <= set(wrong)
    for error in found:
        assert error.text == f"text {error.row}"
        assert error.given == LABELS[split.labels[error.row]]
        assert error.suggested == LABELS[right[error.row]]
        assert error.given_probability < error.suggested_probability


def test_the_least_probable_labels_come_first_up_to_a_limit():
    split, probabilities, _ = labelled(list(range(0, 100, 2)))

    found = likely_label_errors(split, probabilities, LABELS)

    assert len(found) == 20
    assert [error.given_probability for error in found] == sorted(
        error.given_probability for error in found
    )


def test_a_model_that_agrees_with_every_label_accuses_none():
    split, probabilities, _ = labelled([])

    assert likely_label_errors(split, probabilities, LABELS) == ()


@pytest.mark.filterwarnings("ignore:May not flag all")
def test_a_label_without_rows_is_no_obstacle():
    split, probabilities, _ = labelled([5])
    without_blue = Split(split.texts, np.where(split.labels == 2, 0, split.labels))

    found = likely_label_errors(without_blue, probabilities.astype(np.float32), LABELS)

    assert all(error.given != "blue" for error in found)


def test_a_single_row_is_no_obstacle():
    assert likely_label_errors(Split(["a"], np.array([1])), np.array([[0.2, 0.8]]), LABELS) == ()


def test_finding_them_needs_no_torch():
    code = "import sys, cleanlab.filter; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0
