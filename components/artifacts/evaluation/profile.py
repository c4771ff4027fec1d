"""What a model sees in texts, as counts: of the test split at its evaluation, of traffic later.

A profile holds no texts and no row's own numbers, so it may be kept where texts may not.
"""

from collections.abc import Mapping
from dataclasses import dataclass


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
