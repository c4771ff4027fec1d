"""Scores of a classifier on one split, their intervals, and the details that explain them."""

from collections.abc import Mapping
from dataclasses import dataclass

_FEW_ROWS = 10


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
            the share of right predictions, 0 to 1.
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


@dataclass(frozen=True)
class Slice:
    """Scores of a model on a part of a split.

    Args:
        group: The property by which the split is divided.
        name: The part.
        rows: Its number of rows.
        share: Its share of the split, 0 to 1.
        accuracy: Share of its rows whose label is right, 0 to 1.
        interval: 95 % Wilson score interval of the accuracy.
        macro_f1: Unweighted mean of the F1 of the labels that occur in the part, 0 to 1.
        drop: Points by which its accuracy is below the whole split's; negative if above.
    """

    group: str
    name: str
    rows: int
    share: float
    accuracy: float
    interval: Interval
    macro_f1: float
    drop: float

    @property
    def is_small(self) -> bool:
        """True if there are too few rows to rely on the scores."""
        return self.rows < _FEW_ROWS


@dataclass(frozen=True)
class Robustness:
    """The effect of a change of the texts on the predictions.

    Args:
        name: The change.
        before: A text that it alters.
        after: The same text, altered.
        rows: Number of rows that it alters.
        accuracy: Share of them whose label is right after the change, 0 to 1; None if the
            change may also change the right label.
        drop: Points of accuracy that the change costs; None as above.
        changed: Share of the rows whose predicted label changes, 0 to 1.
    """

    name: str
    before: str
    after: str
    rows: int
    accuracy: float | None
    drop: float | None
    changed: float


@dataclass(frozen=True)
class WordWeight:
    """A word of a text and its effect on a label.

    Args:
        word: The word with the punctuation that touches it.
        weight: Log-odds that the label loses when the word is left out: above 0 if the word
            speaks for the label, below 0 if it speaks against it.
    """

    word: str
    weight: float


@dataclass(frozen=True)
class Mistake:
    """A wrong prediction.

    Args:
        row: Index of the text in its split.
        text: The classified text.
        true: The label of the row.
        predicted: The label that the model predicts.
        probability: Its probability, 0 to 1.
        words: The text's words, weighed by their effect on the predicted label.
    """

    row: int
    text: str
    true: str
    predicted: str
    probability: float
    words: tuple[WordWeight, ...]


@dataclass(frozen=True)
class LabelError:
    """A row whose label is probably wrong.

    Args:
        row: Index of the text in its split.
        text: The classified text.
        given: The label of the row.
        suggested: The label that the model finds most probable.
        given_probability: Probability of the row's label, 0 to 1.
        suggested_probability: Probability of the suggested label, 0 to 1.
    """

    row: int
    text: str
    given: str
    suggested: str
    given_probability: float
    suggested_probability: float
