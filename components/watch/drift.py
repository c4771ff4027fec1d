"""Traffic against a reference: a two-sample test of every measure, and how large its shift is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, false_discovery_control

from components.artifacts.evaluation.profile import Profile

LABELS = "predicted labels"
"""The measure of label shares."""


@dataclass(frozen=True)
class Shift:
    """The difference of a measure between reference and traffic.

    Args:
        measure: Its name.
        distance: Jensen-Shannon distance (base 2) of the two histograms, 0 to 1.
        p_value: Of the chi-squared test that both are of one distribution, adjusted for the number
            of measures (Benjamini and Hochberg).
        is_drift: True if the shift is large, and is not chance.
    """

    measure: str
    distance: float
    p_value: float
    is_drift: bool


def shifts(
    reference: Profile, traffic: Profile, max_distance: float, significance: float
) -> tuple[Shift, ...]:
    """Compare two profiles with the same bins, the largest shift first.

    A test alone would call any shift drift once there is enough traffic, and a distance alone
    chance where there is little, so both must agree.
    """
    pairs = {LABELS: _counts(reference.labels, traffic.labels)}
    for name, histogram in reference.measures.items():
        pairs[name] = np.array([histogram.counts, traffic.measures[name].counts])
    distances = {name: float(jensenshannon(*counts, base=2)) for name, counts in pairs.items()}
    adjusted = false_discovery_control([_p_value(counts) for counts in pairs.values()])
    found = [
        Shift(
            name,
            distances[name],
            float(p),
            bool(distances[name] > max_distance and p < significance),
        )
        for name, p in zip(pairs, adjusted, strict=True)
    ]
    return tuple(sorted(found, key=lambda each: -each.distance))


def expected_confusion(probabilities: NDArray[np.float64]) -> tuple[tuple[int, ...], ...]:
    """Estimate counts by [true label id][predicted label id] where no true labels are known.

    A calibrated probability is the share of such texts that have the label (confidence-based
    performance estimation, https://nannyml.readthedocs.io/en/stable/how_it_works/performance_estimation.html).

    Args:
        probabilities: Calibrated, shape (texts, labels).
    """
    predicted = np.eye(probabilities.shape[1])[probabilities.argmax(axis=1)]
    return tuple(map(tuple, np.rint(probabilities.T @ predicted).astype(int).tolist()))


def _counts(reference: Mapping[str, int], traffic: Mapping[str, int]) -> NDArray[np.int64]:
    names: Sequence[str] = list(reference)
    return np.array([[each.get(name, 0) for name in names] for each in (reference, traffic)])


def _p_value(counts: NDArray[np.int64]) -> float:
    seen = counts[:, counts.any(axis=0)]
    return float(chi2_contingency(seen).pvalue) if seen.shape[1] > 1 else 1.0
