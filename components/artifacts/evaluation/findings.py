"""Details that explain the scores: weak parts, changed texts, mistakes, doubtful labels."""

from dataclasses import dataclass

from components.artifacts.evaluation.scores import Interval

_FEW_ROWS = 10


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
        """Whether there are too few rows to rely on the scores."""
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
        words: The text's words, weighted by their effect on the predicted label.
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
