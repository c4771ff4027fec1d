import subprocess
import sys

import numpy as np
import pytest

from components.artifacts.dataset import Split
from components.evaluate.measure.mistakes import likely_label_errors, most_confident_mistakes
from tests.fakes.word_classifier import WordClassifier

LABELS = ("red", "green")
COLOURS = (*LABELS, "blue")
ROWS = 300
CLASSIFIER = WordClassifier(LABELS, {"c": (0, 1)})


def found(texts, labels, probabilities):
    split = Split(texts, np.array(labels))
    return most_confident_mistakes(CLASSIFIER, split, np.array(probabilities), LABELS)


def test_the_surest_mistakes_come_first_and_right_predictions_are_left_out():
    probabilities = [[0.6, 0.4], [0.1, 0.9], [0.01, 0.99], [0.3, 0.7]]

    mistakes = found(["a", "b c", "d", "e"], [1, 0, 1, 0], probabilities)

    assert [(mistake.row, mistake.text) for mistake in mistakes] == [(1, "b c"), (3, "e"), (0, "a")]
    surest = mistakes[0]
    assert (surest.true, surest.predicted) == ("red", "green")
    assert surest.probability == pytest.approx(0.9)
    assert {each.word: each.weight for each in surest.words} == pytest.approx({"b": 0, "c": 1})


def test_at_most_twenty_are_listed():
    assert len(found(["x"] * 50, [1] * 50, [[0.9, 0.1]] * 50)) == 20


def test_a_faultless_model_has_none():
    assert found(["a"], [0], [[1.0, 0.0]]) == ()


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

    found = likely_label_errors(split, probabilities, COLOURS)

    assert len(found) >= 8
    assert {error.row for error in found} <= set(wrong)
    for error in found:
        assert error.text == f"text {error.row}"
        assert error.given == COLOURS[split.labels[error.row]]
        assert error.suggested == COLOURS[right[error.row]]
        assert error.given_probability < error.suggested_probability


def test_the_least_probable_labels_come_first_up_to_a_limit():
    split, probabilities, _ = labelled(list(range(0, 100, 2)))

    found = likely_label_errors(split, probabilities, COLOURS)

    assert len(found) == 20
    assert [error.given_probability for error in found] == sorted(
        error.given_probability for error in found
    )


def test_a_model_that_agrees_with_every_label_accuses_none():
    split, probabilities, _ = labelled([])

    assert likely_label_errors(split, probabilities, COLOURS) == ()


@pytest.mark.filterwarnings("ignore:May not flag all")
def test_a_label_without_rows_is_no_obstacle():
    split, probabilities, _ = labelled([5])
    without_blue = Split(split.texts, np.where(split.labels == 2, 0, split.labels))

    found = likely_label_errors(without_blue, probabilities.astype(np.float32), COLOURS)

    assert all(error.given != "blue" for error in found)


def test_a_single_row_is_no_obstacle():
    assert likely_label_errors(Split(["a"], np.array([1])), np.array([[0.2, 0.8]]), COLOURS) == ()


def test_finding_them_needs_no_torch():
    code = "import sys, cleanlab.filter; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0
