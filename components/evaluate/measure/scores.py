"""Predictions of a classifier on one split, and how good they and their probabilities are."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binned_statistic
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)

from components.artifacts.dataset import Split
from components.artifacts.evaluation.scores import LabelScores, ReliabilityBin, Scores
from components.artifacts.model.classifier import Classifier
from components.errors import InputError

_CHUNK = 512
_BINS = 15

_log = logging.getLogger(__name__)


def predict(classifier: Classifier, split: Split, what: str) -> NDArray[np.float32]:
    """Classify the texts of a split: probabilities of shape (rows, labels); the log says `what`.

    Raises:
        InputError: If the model answers with something else than numbers.
    """
    chunks = []
    for start in range(0, len(split.texts), _CHUNK):
        chunks.append(classifier.probabilities(split.texts[start : start + _CHUNK]))
        if not np.isfinite(chunks[-1]).all():
            rule = f"gives probabilities that are no numbers ({what})"
            fix = "Train it again, with a lower learning_rate or another base model"
            raise InputError(f"model {classifier.version}", rule, fix)
        done, total = min(start + _CHUNK, len(split.texts)), len(split.texts)
        _log.info("evaluate: %s, %d/%d rows", what, done, total, extra={"progress": (done, total)})
    return np.concatenate(chunks)


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


def reliability(
    truth: NDArray[np.int64], probabilities: NDArray[np.floating[Any]]
) -> tuple[ReliabilityBin, ...]:
    """Compare confidence with accuracy in 15 bins of equal width; bins without rows are left out.

    Args:
        truth: True label ids, shape (rows,).
        probabilities: Predicted probabilities, shape (rows, labels).
    """
    # Rounding can lift a probability a little above 1, out of the last bin.
    confidence = probabilities.max(axis=1).astype(np.float64).clip(0, 1)
    right = probabilities.argmax(axis=1) == truth
    sums, _, numbers = binned_statistic(
        confidence, [confidence, right], "sum", bins=_BINS, range=(0, 1)
    )
    counts = np.bincount(numbers - 1, minlength=_BINS)
    filled = counts > 0
    means = (sums[:, filled] / counts[filled]).tolist()
    rows = zip(*means, counts[filled].tolist(), strict=True)
    return tuple(ReliabilityBin(*row) for row in rows)


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Average the distance of confidence and accuracy over all rows of a reliability diagram.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3. The
    maintained libraries that offer it (torchmetrics, netcal) would bring torch into this step.
    """
    distances = [abs(each.confidence - each.accuracy) for each in bins]
    return float(np.average(distances, weights=[each.rows for each in bins]))


def uncalibrated_error(
    truth: NDArray[np.int64], probabilities: NDArray[np.floating[Any]], temperature: float
) -> float:
    """Compute the expected calibration error without the temperature.

    Args:
        truth: True label ids, shape (rows,).
        probabilities: Calibrated probabilities, shape (rows, labels).
        temperature: The divisor of the logits, above 0.
    """
    # A power of probabilities multiplies their logits.
    powers = probabilities.astype(np.float64) ** temperature
    uncalibrated = powers / powers.sum(axis=1, keepdims=True)
    return expected_calibration_error(reliability(truth, uncalibrated))


def _top2_accuracy(truth: NDArray[np.int64], shares: NDArray[np.float64]) -> float:
    count = shares.shape[1]
    # With two labels scikit-learn takes the scores for those of one class.
    if count == 2:
        return 1.0
    return float(top_k_accuracy_score(truth, shares, k=2, labels=range(count)))


def _rows(matrix: NDArray[Any]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
