import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluate.metrics import score

LABELS = ("red", "green", "blue")


def test_scores_are_those_worked_out_by_hand():
    scores = score(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0]), LABELS)

    assert scores.rows == 6
    assert scores.confusion_matrix == ((2, 1, 0), (0, 2, 0), (1, 0, 0))
    assert scores.accuracy == pytest.approx(4 / 6)
    assert scores.per_label["red"].precision == pytest.approx(2 / 3)
    assert scores.per_label["red"].recall == pytest.approx(2 / 3)
    assert scores.per_label["green"].f1 == pytest.approx(0.8)
    assert scores.per_label["blue"].f1 == 0
    assert scores.macro_f1 == pytest.approx((2 / 3 + 0.8 + 0) / 3)
    assert [each.support for each in scores.per_label.values()] == [3, 2, 1]


def test_a_label_that_the_split_lacks_is_listed_and_counts_as_zero():
    scores = score(np.array([0, 1]), np.array([0, 1]), LABELS)

    assert list(scores.per_label) == list(LABELS)
    assert scores.per_label["blue"].support == 0
    assert scores.accuracy == 1
    assert scores.macro_f1 == pytest.approx(2 / 3)
    assert len(scores.confusion_matrix) == 3


def test_scores_survive_a_trip_through_json():
    scores = score(np.array([0, 1, 2]), np.array([0, 2, 2]), LABELS).to_dict()

    assert json.loads(json.dumps(scores)) == scores


@given(
    st.integers(2, 8).flatmap(
        lambda labels: st.tuples(
            st.just(labels),
            st.lists(
                st.tuples(st.integers(0, labels - 1), st.integers(0, labels - 1)),
                min_size=1,
                max_size=60,
            ),
        )
    )
)
def test_the_confusion_matrix_agrees_with_the_scores(case):
    count, pairs = case
    truth, predicted = np.array(pairs).T
    scores = score(truth, predicted, [f"label{each}" for each in range(count)])
    matrix = np.array(scores.confusion_matrix)

    supports = [each.support for each in scores.per_label.values()]
    assert matrix.sum(axis=1).tolist() == supports
    assert matrix.sum() == scores.rows == len(pairs)
    assert scores.accuracy == pytest.approx(matrix.trace() / matrix.sum())
    f1 = [each.f1 for each in scores.per_label.values()]
    assert scores.macro_f1 == pytest.approx(sum(f1) / count)
