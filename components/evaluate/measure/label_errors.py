"""Search for rows whose own label is probably wrong."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import Split
from components.artifacts.evaluation.findings import LabelError


def likely_label_errors(
    split: Split, probabilities: NDArray[np.float32], labels: Sequence[str], limit: int = 20
) -> tuple[LabelError, ...]:
    """Find rows whose label is probably wrong, the least probable label first.

    Confident learning (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068) as cleanlab does it:
    a prediction counts against a label only where the model is surer than it usually is.

    Args:
        split: Texts and labels that the model was not trained on.
        probabilities: The model's predictions, shape (rows, labels).
        labels: Label names in the order of their ids.
        limit: Maximum number of rows.

    Returns:
        The rows found; none if all rows have one label, which allows no conclusion.
    """
    if len(np.unique(split.labels)) < 2:
        return ()
    # Its import costs a second.
    from cleanlab.filter import find_label_issues

    ranked = find_label_issues(
        split.labels,
        probabilities,
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
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
        for row in ranked[:limit].tolist()
    )
