"""The mistakes a model is most sure of: the place to look for bad labels and blind spots."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import Split
from components.artifacts.model.attribution import WordWeight, attributions
from components.artifacts.model.classifier import Classifier


@dataclass(frozen=True)
class Mistake:
    """A wrong prediction.

    Args:
        row: Place of the text in its split.
        text: What was classified.
        true: The label of the row.
        predicted: The label that the model gave.
        probability: The probability that the model gave to it.
        words: The text's words, weighed by what they did for the predicted label.
    """

    row: int
    text: str
    true: str
    predicted: str
    probability: float
    words: tuple[WordWeight, ...]


def most_confident_mistakes(
    classifier: Classifier,
    split: Split,
    probabilities: NDArray[np.float32],
    labels: Sequence[str],
    limit: int = 20,
) -> tuple[Mistake, ...]:
    """Find the wrong predictions of highest probability, the most probable first.

    Args:
        classifier: The model, asked again for the words that mattered.
        split: Texts and true labels.
        probabilities: What the model said of them, shape (rows, labels).
        labels: Label names in the order of their ids.
        limit: Most mistakes to return.
    """
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != split.labels)
    ranked = wrong[np.argsort(-confidence[wrong], kind="stable")][:limit].tolist()
    if not ranked:
        return ()
    weighed = attributions(classifier, [split.texts[row] for row in ranked], predicted[ranked])
    return tuple(
        Mistake(
            row,
            split.texts[row],
            labels[split.labels[row]],
            labels[predicted[row]],
            float(confidence[row]),
            tuple(words),
        )
        for row, words in zip(ranked, weighed, strict=True)
    )
