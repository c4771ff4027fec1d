"""Reliability of probabilities: of the rows predicted with 0.8, are 80 % right?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binned_statistic

from components.artifacts.evaluation.scores import ReliabilityBin

_BINS = 15


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
    """Average the distance of confidence and accuracy over all rows, 0 to 1.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3. The
    maintained libraries that offer it (torchmetrics, netcal) would bring torch into this step.

    Args:
        bins: A reliability diagram.
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
