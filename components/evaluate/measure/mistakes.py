"""Rows where model and label disagree: blind spots of the model, and labels that are wrong."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import Split
from components.artifacts.evaluation.scores import LabelError, Mistake
from components.artifacts.model.attribution import attributions
from components.artifacts.model.classifier import Classifier

_MOST = 20


def most_confident_mistakes(
    classifier: Classifier,
    split: Split,
    probabilities: NDArray[np.float32],
    labels: Sequence[str],
) -> tuple[Mistake, ...]:
    """Find the 20 wrong predictions of the highest probability, in descending order.

    Args:
        classifier: The model, which is run again to weigh the words.
        split: Texts and true labels.
        probabilities: The model's predictions, shape (rows, labels).
        labels: Label names in the order of their ids.
    """
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != split.labels)
    ranked = wrong[np.argsort(-confidence[wrong], kind="stable")][:_MOST].tolist()
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


def likely_label_errors(
    split: Split, probabilities: NDArray[np.float32], labels: Sequence[str]
) -> tuple[LabelError, ...]:
    """Find up to 20 rows whose label is probably wrong, the least probable label first.

    Confident learning (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068) as cleanlab does it:
    a prediction counts against a label only where the model is surer than it usually is.

    Args:
        split: Texts and labels that the model was not trained on.
        probabilities: The model's predictions, shape (rows, labels).
        labels: Label names in the order of their ids.

    Returns:
        The rows found; none if all rows have one label, which allows no conclusion.
    """
    if len(np.unique(split.labels)) < 2:
        return ()
    # Its import costs a second.
    from cleanlab.filter import find_label_issues

    ranked = find_label_issues(
        split.labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    suggested = probabilities.argmax(axis=1)
    return tuple(
        LabelError(
            row,
            split.texts[row],
            labels[split.labels[row]],
            labels[suggested[row]],
            float(probabilities[row, split.labels[row]]),
            float(probabilities[row, suggested[row]]),
        )
        for row in ranked[:_MOST].tolist()
    )
