"""Bootstrap intervals: how far scores would move with other test rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from components.artifacts.evaluation.scores import Interval, Intervals, LabelIntervals

CONFIDENCE = 0.95
_BATCH = 100


def intervals(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    labels: Sequence[str],
    resamples: int,
    seed: int,
) -> Intervals:
    """Bootstrap the rows of a split and take the middle 95 % of every score (percentile method).

    Args:
        truth: True label ids, shape (rows,).
        predicted: Predicted label ids, shape (rows,).
        labels: Label names in the order of their ids.
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling.
    """

    def figures(truth: NDArray[np.int64], predicted: NDArray[np.int64], axis: int) -> Any:
        del axis  # Always the last: SciPy moves it there.
        recall, f1 = recall_and_f1(truth, predicted, len(labels))
        accuracy = (truth == predicted).mean(axis=-1)
        return np.stack([accuracy, f1.mean(axis=0), *recall, *f1])

    bounds = resample((truth, predicted), figures, resamples, seed).confidence_interval
    accuracy, macro_f1, *rest = map(Interval, bounds.low.tolist(), bounds.high.tolist())
    recalls, f1s = rest[: len(labels)], rest[len(labels) :]
    per_label = dict(zip(labels, map(LabelIntervals, f1s, recalls), strict=True))
    return Intervals(accuracy, macro_f1, per_label)


def resample(samples: tuple[NDArray[np.int64], ...], figures: Any, count: int, seed: int) -> Any:
    """Bootstrap figures over rows whose columns stay together, with SciPy.

    Args:
        samples: Columns of shape (rows,).
        figures: Takes the columns, shape (..., rows), and `axis`; returns shape (figures, ...).
        count: Number of bootstrap samples.
        seed: Seed of the resampling.
    """
    return bootstrap(
        samples,
        figures,
        paired=True,
        vectorized=True,
        axis=-1,
        n_resamples=count,
        batch=_BATCH,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )


def recall_and_f1(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute recall and F1 of each label in many samples at once; 0 for a division by 0.

    Equals scikit-learn's `precision_recall_fscore_support`, which takes one sample per call: over
    a thousand bootstrap samples this is a hundred times faster.

    Args:
        truth: True label ids, shape (..., rows).
        predicted: Predicted label ids, shape (..., rows).
        count: Number of labels.

    Returns:
        Recall and F1, each of shape (labels, ...).
    """
    ids = np.arange(count).reshape(-1, *[1] * truth.ndim)
    is_true, is_predicted = truth == ids, predicted == ids
    hits = (is_true & is_predicted).sum(axis=-1)
    actual, answered = is_true.sum(axis=-1), is_predicted.sum(axis=-1)
    recall = hits / np.maximum(actual, 1)
    f1 = 2 * hits / np.maximum(actual + answered, 1)
    return recall, f1
