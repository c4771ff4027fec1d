"""What a model sees in texts, as counts: of the test split at its evaluation, of traffic later.

A profile holds no texts and no row's own numbers, so it may be kept where texts may not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DECILES = np.linspace(0.1, 0.9, 9)


@dataclass(frozen=True)
class Histogram:
    """A measure of texts, counted.

    Args:
        edges: Ascending borders; each belongs to the bin below it.
        counts: Texts of each bin, one more than borders.
        median: Median of the measure.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    median: float

    @classmethod
    def of(cls, values: NDArray[np.float64], like: "Histogram | None" = None) -> "Histogram":
        """Count values, at least one, in the bins of another histogram, else in their deciles."""
        # Of a measure with few values several deciles are the same.
        edges = np.unique(np.quantile(values, _DECILES).round(6)) if like is None else like.edges
        counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
        median = round(float(np.median(values)), 6)
        return cls(tuple(map(float, edges)), tuple(counts.tolist()), median)


@dataclass(frozen=True)
class Profile:
    """What a model sees in a set of texts.

    Args:
        rows: Number of texts.
        labels: Texts by predicted label name.
        measures: The other measures by name (see `artifacts.model.profiling`).
    """

    rows: int
    labels: Mapping[str, int]
    measures: Mapping[str, Histogram]
