"""The lines of the tables that show two runs side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.artifacts.evaluation import Evaluation
from components.artifacts.evaluation.scores import Interval, Scores
from components.evaluate.side_by_side.runs import Run

_SHARES = (("accuracy", "Accuracy"), ("macro_f1", "Macro-F1"))
_MORE = (("weighted_f1", "Weighted F1"), ("top2_accuracy", "Top-2 accuracy"))
_LOWER_IS_BETTER = (
    ("expected_calibration_error", "Calibration error"),
    ("log_loss", "Log loss"),
    ("brier_score", "Brier score"),
)
_LARGEST = 10


@dataclass(frozen=True)
class Line:
    """A figure of two runs.

    Args:
        name: What it is.
        first: Its value in the first run.
        second: Its value in the second run.
        lower_is_better: True for errors and losses.
        intervals: Its 95 % interval in each run, where one was estimated.
    """

    name: str
    first: float
    second: float
    lower_is_better: bool = False
    intervals: tuple[Interval, Interval] | None = None

    @property
    def gain(self) -> float:
        """By how much the second run is better; negative if it is worse."""
        return (self.first - self.second) if self.lower_is_better else (self.second - self.first)

    @property
    def is_clear(self) -> bool:
        """True if the intervals do not overlap."""
        if not self.intervals:
            return False
        first, second = self.intervals
        return first.high < second.low or second.high < first.low


def figures(first: Evaluation, second: Evaluation) -> list[Line]:
    """Scores on the test split, the other splits and text from elsewhere, where both have them."""
    lines = [
        Line(
            title,
            getattr(first.test, name),
            getattr(second.test, name),
            intervals=(getattr(first.intervals, name), getattr(second.intervals, name)),
        )
        for name, title in _SHARES
    ]
    lines += _lines("", _MORE, first.test, second.test)
    lines += _lines("Full precision: ", _SHARES, first.test_fp32, second.test_fp32)
    lines += _lines("Validation: ", _SHARES, first.validation, second.validation)
    lines += _lines("Out-of-domain: ", _SHARES, first.out_of_domain, second.out_of_domain)
    return lines


def errors(first: Evaluation, second: Evaluation) -> list[Line]:
    """Errors and losses on the test split, of which less is better."""
    return _lines("", _LOWER_IS_BETTER, first.test, second.test, lower_is_better=True)


def label_f1(first: Evaluation, second: Evaluation) -> list[Line]:
    """F1 of each label on the test split."""
    return [
        Line(
            label,
            first.test.per_label[label].f1,
            second.test.per_label[label].f1,
            intervals=(
                first.intervals.per_label[label].f1,
                second.intervals.per_label[label].f1,
            ),
        )
        for label in first.labels
    ]


def confusions(first: Evaluation, second: Evaluation) -> list[Line]:
    """The pairs of labels whose share of confused rows changes most, the largest change first."""
    labels = first.labels
    pairs = [
        Line(
            f"{true} taken for {taken}",
            first.test.confusion_shares[row][column],
            second.test.confusion_shares[row][column],
            lower_is_better=True,
        )
        for row, true in enumerate(labels)
        for column, taken in enumerate(labels)
        if row != column
    ]
    return _most_changed(pairs)


def slices(first: Evaluation, second: Evaluation) -> list[Line]:
    """The parts of the test split whose accuracy changes most, of those with enough rows."""
    seconds = {(part.group, part.name): part for part in second.slices if not part.is_small}
    pairs = [
        Line(f"{part.group}, {part.name}", part.accuracy, other.accuracy)
        for part in first.slices
        if not part.is_small and (other := seconds.get((part.group, part.name)))
    ]
    return _most_changed(pairs)


def settings(first: Run, second: Run) -> list[tuple[str, Any, Any]]:
    """The settings of training that differ: name and both values; a missing one is None."""
    names = dict.fromkeys([*first.settings, *second.settings])
    both = ((name, first.settings.get(name), second.settings.get(name)) for name in names)
    return [each for each in both if each[1] != each[2]]


def counts(first: Run, second: Run) -> dict[str, list[tuple[str, int, int]]]:
    """Numbers of rows by what they count, where both data sets are known."""
    if not first.data or not second.data:
        return {}
    data = (first.data, second.data)
    return {
        "Split and source": _joined(*(_flat(each.rows) for each in data)),
        "Split and label": _joined(*(_flat(each.rows_by_label) for each in data)),
        "Synthetic rows by model": _joined(
            *({name: sum(rows.values()) for name, rows in each.models.items()} for each in data)
        ),
        "Removed, by reason": _joined(
            *({name.replace("_", " "): n for name, n in each.removed.items()} for each in data)
        ),
    }


def _lines(
    prefix: str,
    names: Sequence[tuple[str, str]],
    first: Scores | None,
    second: Scores | None,
    *,
    lower_is_better: bool = False,
) -> list[Line]:
    if not first or not second:
        return []
    return [
        Line(f"{prefix}{title}", getattr(first, name), getattr(second, name), lower_is_better)
        for name, title in names
    ]


def _most_changed(lines: Sequence[Line]) -> list[Line]:
    changed = [line for line in lines if line.gain]
    return sorted(changed, key=lambda line: -abs(line.gain))[:_LARGEST]


def _flat(rows: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {f"{split}, {name}": n for split, each in rows.items() for name, n in each.items()}


def _joined(first: Mapping[str, int], second: Mapping[str, int]) -> list[tuple[str, int, int]]:
    names = dict.fromkeys([*first, *second])
    both = [(name, first.get(name, 0), second.get(name, 0)) for name in names]
    return [each for each in both if any(each[1:])]
