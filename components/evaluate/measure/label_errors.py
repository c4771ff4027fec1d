"""Rows whose own label is probably wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import Split


@dataclass(frozen=True)
class LabelError:
    """A row whose label is probably wrong.

    Args:
        row: Place of the text in its split.
        text: What was classified.
        given: The label of the row.
        suggested: The label that the model finds most probable.
        given_probability: The probability that the model gives to the row's label.
        suggested_probability: The probability that it gives to the suggested one.
    """

    row: int
    text: str
    given: str
    suggested: str
    given_probability: float
    suggested_probability: float


def likely_label_errors(
    split: Split, probabilities: NDArray[np.float32], labels: Sequence[str], limit: int = 20
) -> tuple[LabelError, ...]:
    """Find rows whose label is probably wrong, the least probable label first.

    Confident learning (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068) as cleanlab does it:
    what the model says counts against a label only where it is surer than it usually is.

    Args:
        split: Texts and their labels; the model must not have been trained on them.
        probabilities: What the model says of them, shape (rows, labels).
        labels: Label names in the order of their ids.
        limit: Most rows to return.

    Returns:
        The rows found; none if all rows have one label, since nothing can be told from that.
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
