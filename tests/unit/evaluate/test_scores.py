import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts.evaluation.scores import ReliabilityBin
from components.evaluate.measure.scores import (
    expected_calibration_error,
    reliability,
    score,
    uncalibrated_error,
)

LABELS = ("red", "green", "blue")


def certain(predicted, count=3):
    """Probabilities of a classifier that has no doubts."""
    return np.eye(count)[np.array(predicted)]


def test_scores_are_those_worked_out_by_hand():
    scores = score(np.array([0, 0, 0, 1, 1, 2]), certain([0, 0, 1, 1, 1, 0]), LABELS)

    assert scores.rows == 6
    assert scores.confusion_matrix == ((2, 1, 0), (0, 2, 0), (1, 0, 0))
    assert scores.confusion_shares[0] == pytest.approx((2 / 3, 1 / 3, 0))
    assert scores.accuracy == pytest.approx(4 / 6)
    assert scores.per_label["red"].precision == pytest.approx(2 / 3)
    assert scores.per_label["red"].recall == pytest.approx(2 / 3)
    assert scores.per_label["green"].f1 == pytest.approx(0.8)
    assert scores.per_label["blue"].f1 == 0
    assert scores.macro_f1 == pytest.approx((2 / 3 + 0.8 + 0) / 3)
    assert scores.weighted_f1 == pytest.approx((3 * 2 / 3 + 2 * 0.8 + 0) / 6)
    assert [each.support for each in scores.per_label.values()] == [3, 2, 1]


def test_scores_of_probabilities_are_those_worked_out_by_hand():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.6, 0.3, 0.1]], np.float32)

    scores = score(np.array([0, 1, 2]), probabilities, LABELS)

    assert scores.top2_accuracy == pytest.approx(2 / 3)
    assert scores.log_loss == pytest.approx(-np.log([0.7, 0.4, 0.1]).mean())
    squares = (0.3**2 + 0.2**2 + 0.1**2, 0.5**2 + 0.6**2 + 0.1**2, 0.6**2 + 0.3**2 + 0.9**2)
    assert scores.brier_score == pytest.approx(np.mean(squares))
    # In bins of one fifteenth 0.7, 0.5 and 0.6 stand alone; only the first is right.
    assert scores.expected_calibration_error == pytest.approx((0.3 + 0.5 + 0.6) / 3)


def test_a_label_that_the_split_lacks_is_listed_and_counts_as_zero():
    scores = score(np.array([0, 1]), certain([0, 1]), LABELS)

    assert list(scores.per_label) == list(LABELS)
    assert scores.per_label["blue"].support == 0
    assert scores.accuracy == 1
    assert scores.macro_f1 == pytest.approx(2 / 3)
    assert len(scores.confusion_matrix) == 3
    assert scores.confusion_shares[2] == (0, 0, 0)


def test_rows_are_counted_in_whole_numbers_even_if_none_is_right():
    scores = score(np.array([0, 0]), certain([1, 1]), LABELS)

    assert scores.accuracy == 0
    assert [repr(each.support) for each in scores.per_label.values()] == ["2", "0", "0"]


def test_two_labels_are_scored_like_more():
    scores = score(np.array([0, 1, 1]), np.array([[0.8, 0.2], [0.9, 0.1], [0.3, 0.7]]), ("a", "b"))

    assert scores.top2_accuracy == 1
    assert scores.brier_score == pytest.approx(2 * np.mean([0.2**2, 0.9**2, 0.3**2]))


def test_scores_survive_a_trip_through_json():
    scores = asdict(score(np.array([0, 1, 2]), certain([0, 2, 2]), LABELS))

    read = json.loads(json.dumps(scores, allow_nan=False))
    assert read["per_label"] == scores["per_label"]
    assert read["confusion_matrix"] == [list(row) for row in scores["confusion_matrix"]]


def test_bins_hold_the_rows_of_like_confidence():
    truth = np.array([0, 0, 0, 1])
    probabilities = np.array([[0.91, 0.09], [0.92, 0.08], [0.6, 0.4], [0.55, 0.45]])

    assert reliability(truth, probabilities) == (
        ReliabilityBin(pytest.approx(0.55), 0, 1),
        ReliabilityBin(pytest.approx(0.6), 1, 1),
        ReliabilityBin(pytest.approx(0.915), 1, 2),
    )


@pytest.mark.parametrize("above", [0, 1e-7])
def test_full_confidence_has_a_bin(above):
    bins = reliability(np.array([0, 1]), np.array([[1 + above, 0], [1 + above, 0]]))

    assert bins == (ReliabilityBin(1, 0.5, 2),)
    assert expected_calibration_error(bins) == 0.5


def test_the_error_without_temperature_is_that_of_the_bare_logits():
    random = np.random.default_rng(0)
    logits, truth = 4 * random.normal(size=(300, 3)), random.integers(0, 3, 300)

    def softmax(values):
        powers = np.exp(values)
        return powers / powers.sum(axis=1, keepdims=True)

    expected = expected_calibration_error(reliability(truth, softmax(logits)))
    assert uncalibrated_error(truth, softmax(logits / 2.5), 2.5) == pytest.approx(expected)


@settings(max_examples=40)
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
    labels = [f"label{each}" for each in range(count)]
    scores = score(truth, certain(predicted, count), labels)
    matrix = np.array(scores.confusion_matrix)

    supports = [each.support for each in scores.per_label.values()]
    assert matrix.sum(axis=1).tolist() == supports
    assert matrix.sum() == scores.rows == len(pairs)
    assert scores.accuracy == pytest.approx(matrix.trace() / matrix.sum())
    assert scores.expected_calibration_error == pytest.approx(1 - scores.accuracy)
    f1 = [each.f1 for each in scores.per_label.values()]
    assert scores.macro_f1 == pytest.approx(sum(f1) / count)
