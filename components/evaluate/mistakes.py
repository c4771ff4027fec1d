"""The mistakes a model is most sure of: the place to look for bad labels and blind spots."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Mistake:
    """A text with its true label, and a wrong label with the probability given to it."""

    text: str
    true: str
    predicted: str
    probability: float


def most_confident_mistakes(
    texts: Sequence[str],
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    labels: Sequence[str],
    limit: int = 20,
) -> tuple[Mistake, ...]:
    """Find the wrong predictions of highest probability, the most probable first.

    Args:
        texts: The texts of a split.
        truth: True label ids, shape (rows,).
        probabilities: Predicted probabilities, shape (rows, labels).
        labels: Label names in the order of their ids.
        limit: Most mistakes to return.
    """
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    ranked = wrong[np.argsort(-confidence[wrong], kind="stable")][:limit]
    return tuple(
        Mistake(texts[row], labels[truth[row]], labels[predicted[row]], float(confidence[row]))
        for row in ranked
    )
