"""Scores of a classifier on one split, all computed by scikit-learn."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support


@dataclass(frozen=True)
class LabelScores:
    """How well one label is recognised; `support` is its number of rows in the split."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Scores:
    """How well a classifier does on one split.

    Args:
        rows: Number of rows.
        accuracy: Share of rows whose label is right, 0 to 1.
        macro_f1: Unweighted mean of the F1 of all labels, 0 to 1.
        per_label: Scores of every label by name, in the order of the ids.
        confusion_matrix: Counts by [true label id][predicted label id].
    """

    rows: int
    accuracy: float
    macro_f1: float
    per_label: Mapping[str, LabelScores]
    confusion_matrix: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """The scores as JSON-ready lists, dicts and numbers."""
        return {**asdict(self), "confusion_matrix": [list(row) for row in self.confusion_matrix]}


def score(truth: NDArray[np.int64], predicted: NDArray[np.int64], labels: Sequence[str]) -> Scores:
    """Compare predicted labels with the true ones.

    A score without a single row to compute it from is 0, so a label that a split lacks
    lowers the macro average instead of hiding.

    Args:
        truth: True label ids, shape (rows,), at least one row.
        predicted: Predicted label ids, shape (rows,).
        labels: Label names in the order of their ids.
    """
    ids = range(len(labels))
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=ids, zero_division=0
    )
    columns = (precision.tolist(), recall.tolist(), f1.tolist(), support.tolist())
    counts = confusion_matrix(truth, predicted, labels=ids).tolist()
    return Scores(
        rows=len(truth),
        accuracy=float(accuracy_score(truth, predicted)),
        macro_f1=float(f1.mean()),
        per_label={
            name: LabelScores(*row)
            for name, row in zip(labels, zip(*columns, strict=True), strict=True)
        },
        confusion_matrix=tuple(tuple(row) for row in counts),
    )
