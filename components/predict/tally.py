"""What a report counts: kept with each part, and added up without looking at rows again."""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from components.predict.columns import Scores
from components.predict.tables.table import Window

BINS = 20
"""Bins of the probabilities of the labels, from 0 to 1."""
_MOST_SHOWN = 200


@dataclass(frozen=True, order=True)
class UnsureRow:
    """A row that the model is unsure of.

    Args:
        probability: The probability of its label.
        source: Name of its file.
        row: Its number in the file, from 1.
        label: Its label.
        text: Its text, cut; empty if texts are not shown.
    """

    probability: float
    source: str
    row: int
    label: str
    text: str = ""


@dataclass
class Tally:
    """Counts of rows.

    Args:
        rows: Number of rows.
        labels: Rows by label.
        sure: Sum of the probabilities of the labels, by label.
        bins: Rows by the probability of their label, in `BINS` bins.
        reasons: Rows without a label, by reason.
        least_sure: The rows of the lowest probability, no text twice.
    """

    rows: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    sure: dict[str, float] = field(default_factory=dict)
    bins: list[int] = field(default_factory=lambda: [0] * BINS)
    reasons: dict[str, int] = field(default_factory=dict)
    least_sure: list[UnsureRow] = field(default_factory=list)

    @property
    def labelled(self) -> int:
        """Number of rows with a label."""
        return sum(self.labels.values())

    def share(self, label: str) -> float:
        """Share of a label among rows with one, 0 to 1."""
        return self.labels.get(label, 0) / max(self.labelled, 1)

    def mean(self, label: str) -> float:
        """Mean probability of the rows of a label, 0 to 1."""
        return self.sure.get(label, 0.0) / max(self.labels.get(label, 0), 1)

    @property
    def mean_probability(self) -> float:
        """Mean probability of all labels: the share of right ones that the model expects."""
        return sum(self.sure.values()) / max(self.labelled, 1)

    def figures(self) -> dict[str, float]:
        """The main figures by name."""
        return {
            "rows": float(self.rows),
            "rows_without_label": float(self.rows - self.labelled),
            "mean_probability": round(self.mean_probability, 4),
        }

    def add(self, other: "Tally", least_sure: int) -> None:
        """Add what another one has counted."""
        self.rows += other.rows
        _add(self.labels, other.labels)
        _add(self.sure, other.sure)
        _add(self.reasons, other.reasons)
        self.bins = [mine + its for mine, its in zip(self.bins, other.bins, strict=True)]
        self.least_sure = _distinct([*self.least_sure, *other.least_sure], least_sure)


def tally_of(
    source: str,
    window: Window,
    scores: Scores,
    labels: Sequence[str],
    least_sure: int,
    show_texts: bool,
) -> Tally:
    """Count the rows of a window.

    Args:
        source: Name of their file.
        window: The rows.
        scores: What the model says of them.
        labels: The model's labels.
        least_sure: Rows to keep of those that the model is least sure of.
        show_texts: Keep their texts.
    """
    known = np.flatnonzero([each is None for each in scores.reasons])
    shares = scores.probabilities[known].astype(np.float64)
    winners, highest = shares.argmax(axis=1), shares.max(axis=1, initial=0)
    counts = np.bincount(winners, minlength=len(labels)).tolist()
    sums = np.bincount(winners, weights=highest, minlength=len(labels)).tolist()

    def rows() -> Iterable[UnsureRow]:
        for place in np.argsort(highest, kind="stable"):
            row = known[place]
            text = str(window.texts[row])[:_MOST_SHOWN] if show_texts else ""
            sure = round(float(highest[place]), 6)
            yield UnsureRow(sure, source, int(window.start + row + 1), labels[winners[place]], text)

    return Tally(
        rows=len(scores.reasons),
        labels=dict(zip(labels, counts, strict=True)),
        sure=dict(zip(labels, sums, strict=True)),
        bins=np.histogram(highest, BINS, (0, 1))[0].tolist(),
        reasons=dict(Counter(each for each in scores.reasons if each)),
        least_sure=_first_distinct(rows(), least_sure),
    )


def _add(mine: dict[str, Any], its: Mapping[str, Any]) -> None:
    for name, value in its.items():
        mine[name] = mine.get(name, 0) + value


def _distinct(rows: Sequence[UnsureRow], most: int) -> list[UnsureRow]:
    return _first_distinct(heapq.nsmallest(len(rows), rows), most)


def _first_distinct(rows: Iterable[UnsureRow], most: int) -> list[UnsureRow]:
    found: dict[object, UnsureRow] = {}
    for row in rows:
        if len(found) >= most:
            break
        found.setdefault(row.text or (row.source, row.row), row)
    return list(found.values())
