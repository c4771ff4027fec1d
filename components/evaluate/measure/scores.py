"""Scores of a classifier on one split, computed by scikit-learn and SciPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)

from components.artifacts.evaluation.scores import LabelScores, Scores
from components.evaluate.measure.reliability import expected_calibration_error, reliability


def score(
    truth: NDArray[np.int64], probabilities: NDArray[np.floating[Any]], labels: Sequence[str]
) -> Scores:
    """Compare predicted probabilities with the true labels.

    A score without any row to compute it from is 0, so a label that a split lacks lowers the
    macro average instead of being ignored.

    Args:
        truth: True label ids, shape (rows,), at least one row.
        probabilities: Predicted probabilities, shape (rows, labels).
        labels: Label names in the order of their ids.
    """
    ids = range(len(labels))
    predicted = probabilities.argmax(axis=1)
    # scikit-learn requires rows that sum to 1 in double precision.
    shares = probabilities / probabilities.sum(axis=1, keepdims=True, dtype=np.float64)
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=ids, zero_division=0
    )
    bins = reliability(truth, probabilities)
    # scikit-learn counts in floats if not a single row is right.
    counts = support.astype(int)
    columns = (precision.tolist(), recall.tolist(), f1.tolist(), counts.tolist())
    return Scores(
        rows=len(truth),
        accuracy=float(accuracy_score(truth, predicted)),
        macro_f1=float(f1.mean()),
        weighted_f1=float(np.average(f1, weights=support)),
        top2_accuracy=_top2_accuracy(truth, shares),
        log_loss=float(log_loss(truth, shares, labels=ids)),
        brier_score=float(brier_score_loss(truth, shares, labels=ids, scale_by_half=False)),
        expected_calibration_error=expected_calibration_error(bins),
        reliability=bins,
        per_label={
            name: LabelScores(*row)
            for name, row in zip(labels, zip(*columns, strict=True), strict=True)
        },
        confusion_matrix=_rows(confusion_matrix(truth, predicted, labels=ids)),
        confusion_shares=_rows(confusion_matrix(truth, predicted, labels=ids, normalize="true")),
    )


def _top2_accuracy(truth: NDArray[np.int64], shares: NDArray[np.float64]) -> float:
    count = shares.shape[1]
    # With two labels scikit-learn takes the scores for those of one class.
    return (
        float(top_k_accuracy_score(truth, shares, k=2, labels=range(count))) if count > 2 else 1.0
    )


def _rows(matrix: NDArray[Any]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
