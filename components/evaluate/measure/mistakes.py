"""The most confident mistakes: where to look for wrong labels and blind spots."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import Split
from components.artifacts.evaluation.findings import Mistake
from components.artifacts.model.attribution import attributions
from components.artifacts.model.classifier import Classifier


def most_confident_mistakes(
    classifier: Classifier,
    split: Split,
    probabilities: NDArray[np.float32],
    labels: Sequence[str],
    limit: int = 20,
) -> tuple[Mistake, ...]:
    """Find the wrong predictions of the highest probability, in descending order.

    Args:
        classifier: The model, which is run again to weigh the words.
        split: Texts and true labels.
        probabilities: The model's predictions, shape (rows, labels).
        labels: Label names in the order of their ids.
        limit: Maximum number of mistakes.
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
