"""Temperature scaling, so that probabilities match the share of correct answers."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

_LARGEST = 20.0


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Find the temperature that maximises the likelihood of the true labels.

    Args:
        logits: Shape (rows, labels), for rows that the model was not trained on.
        labels: True label ids, shape (rows,).

    Returns:
        The divisor of the logits, between 1/20 and 20.

    Source: Guo et al. 2017, arXiv 1706.04599.
    """
    limit = np.log(_LARGEST)
    found = minimize_scalar(
        partial(_log_loss, logits=logits.astype(np.float64), labels=labels),
        bounds=(-limit, limit),
        method="bounded",
    )
    return float(np.exp(found.x))


def _log_loss(
    log_temperature: float, logits: NDArray[np.float64], labels: NDArray[np.int64]
) -> float:
    likelihoods = log_softmax(logits / np.exp(log_temperature), axis=1)
    return -float(likelihoods[np.arange(len(labels)), labels].mean())
