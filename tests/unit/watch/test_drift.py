"""Two-sample tests: what is chance, what is drift, and what the model expects of itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.evaluation.profile import Profile
from components.artifacts.model.profiling import histogram_of
from components.watch.drift import LABELS, expected_confusion, shifts


def profile(values, labels, like=None):
    of = histogram_of(np.asarray(values, float), like.measures["words"] if like else None)
    return Profile(len(values), labels, {"words": of})


def drawn(seed, mean, rows, joy, like=None):
    random = np.random.default_rng(seed)
    count = int(random.binomial(rows, joy))
    return profile(random.normal(mean, 1, rows), {"joy": count, "anger": rows - count}, like)


REFERENCE = drawn(0, 10, 400, 0.5)


def found(traffic, reference=REFERENCE):
    return {each.measure: each for each in shifts(reference, traffic, 0.1, 0.01)}


def test_traffic_like_the_reference_is_no_drift():
    seen = [found(drawn(seed, 10, 400, 0.5, REFERENCE)) for seed in range(1, 101)]
    alarms = [name for each in seen for name, shift in each.items() if shift.is_drift]
    assert len(alarms) <= 2


def test_a_shift_of_one_measure_is_drift_in_it_alone():
    shifted = found(drawn(1, 11, 400, 0.5, REFERENCE))
    assert shifted["words"].is_drift
    assert not shifted[LABELS].is_drift
    shifted = found(drawn(1, 10, 400, 0.8, REFERENCE))
    assert [name for name, each in shifted.items() if each.is_drift] == [LABELS]


def test_neither_a_small_shift_of_much_traffic_nor_a_large_one_of_little_is_drift():
    large = drawn(0, 10, 100_000, 0.5)
    much = found(drawn(1, 10.1, 100_000, 0.5, large), large)["words"]
    assert much.p_value < 0.01
    assert not much.is_drift
    little = found(drawn(3, 10.5, 12, 0.5, REFERENCE))["words"]
    assert little.distance > 0.1
    assert not little.is_drift


def test_the_largest_shift_comes_first():
    distances = [
        each.distance for each in shifts(REFERENCE, drawn(1, 12, 300, 0.6, REFERENCE), 0.1, 0.01)
    ]
    assert distances == sorted(distances, reverse=True)


def test_a_measure_with_one_value_is_compared_with_others():
    flat = profile([0.0] * 50, {"joy": 50, "anger": 0})
    same = shifts(flat, profile([0.0] * 90, {"joy": 90, "anger": 0}, flat), 0.1, 0.01)
    assert not any(each.is_drift for each in same)
    other = shifts(flat, profile([1.0] * 90, {"joy": 0, "anger": 90}, flat), 0.1, 0.01)
    assert all(each.is_drift and each.distance == pytest.approx(1) for each in other)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_every_value_is_counted_once_in_bins_of_its_own_or_of_others(values, others):
    own = histogram_of(np.array(values))
    assert sum(own.counts) == len(values)
    like = histogram_of(np.array(others), own)
    assert like.edges == own.edges
    assert sum(like.counts) == len(others)
    assert len(like.counts) == len(own.edges) + 1


def test_calibrated_probabilities_say_how_many_are_wrong():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([1, 1, 2], 4000)
    truth = [random.choice(3, p=row) for row in probabilities]
    matrix = np.zeros((3, 3))
    np.add.at(matrix, (truth, probabilities.argmax(axis=1)), 1)
    assert np.abs(matrix - expected_confusion(probabilities)).max() < 80
