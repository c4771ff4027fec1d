"""Scores of a classifier on one split, with the intervals that hold them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """The range from `low` to `high` that holds a figure with 95 % confidence."""

    low: float
    high: float


@dataclass(frozen=True)
class LabelIntervals:
    """Intervals of the scores of one label."""

    f1: Interval
    recall: Interval


@dataclass(frozen=True)
class Intervals:
    """95 % bootstrap intervals of the scores of a classifier on one split."""

    accuracy: Interval
    macro_f1: Interval
    per_label: Mapping[str, LabelIntervals]


@dataclass(frozen=True)
class ReliabilityBin:
    """The rows whose predicted label has a probability within one fifteenth of 0 to 1.

    Args:
        confidence: Mean probability of the predicted label, 0 to 1.
        accuracy: Share of the rows that are right, 0 to 1.
        rows: Number of rows, at least 1.
    """

    confidence: float
    accuracy: float
    rows: int


@dataclass(frozen=True)
class LabelScores:
    """Scores of one label; `support` is its number of rows in the split."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Scores:
    """Scores of a classifier on one split.

    Args:
        rows: Number of rows.
        accuracy: Share of rows whose label is right, 0 to 1.
        macro_f1: Unweighted mean of the F1 of all labels, 0 to 1.
        weighted_f1: Mean of the F1 of all labels, each weighted by its rows, 0 to 1.
        top2_accuracy: Share of rows whose label is among the two most probable, 0 to 1.
        log_loss: Mean negative logarithm of the true label's probability, at least 0.
        brier_score: Mean squared distance of the probabilities from the truth, 0 to 2.
        expected_calibration_error: Mean distance of the probability of the predicted label from
            the share of right answers, 0 to 1.
        reliability: The same in detail, for a reliability diagram.
        per_label: Scores of every label by name, in the order of the ids.
        confusion_matrix: Counts by [true label id][predicted label id].
        confusion_shares: The same as shares of the rows of the true label, 0 to 1.
    """

    rows: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    top2_accuracy: float
    log_loss: float
    brier_score: float
    expected_calibration_error: float
    reliability: tuple[ReliabilityBin, ...]
    per_label: Mapping[str, LabelScores]
    confusion_matrix: tuple[tuple[int, ...], ...]
    confusion_shares: tuple[tuple[float, ...], ...]
