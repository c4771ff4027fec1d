"""The mistakes a model is most sure of: the place to look for bad labels and blind spots."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.artifacts.evaluation.findings import Mistake
from components.artifacts.model.attribution import attributions
from components.artifacts.model.classifier import Classifier
from components.evaluate.inputs import Split


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
