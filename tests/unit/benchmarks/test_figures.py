"""The bench of the predictor counts requests as it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.serve.figures import FAILED, UNANSWERED, Outcome, figures


@given(st.lists(st.floats(0.001, 60.0), min_size=1, max_size=200))
def test_percentiles_are_numpys(waits):
    found = figures([Outcome(1.5, 1.5 + wait, 200) for wait in waits], 1.0, 2.0, 1)
    expected = np.percentile(waits, [50, 95, 99]) * 1000
    assert [found.p50, found.p95, found.p99] == pytest.approx(list(expected))


def test_throughput_counts_the_right_answers_inside_the_measured_time():
    outcomes = [
        Outcome(0.5, 0.9, 200),  # Answered in the warm-up.
        Outcome(0.9, 1.1, 200),
        Outcome(1.2, 2.9, 200),
        Outcome(2.8, 3.2, 200),  # Answered afterwards.
        Outcome(1.5, 1.6, 503),
    ]
    found = figures(outcomes, 1.0, 3.0, texts_per_request=16)
    assert found.requests_per_second == 1.0
    assert found.texts_per_second == 16.0


def test_refusals_failures_and_open_requests_are_told_apart():
    statuses = [200, 503, 429, 500, 400, FAILED, UNANSWERED]
    found = figures([Outcome(1.5, 1.7, each) for each in statuses], 1.0, 2.0, 1)
    assert (found.requests, found.refused, found.failed, found.unanswered) == (7, 2, 3, 1)


def test_a_quick_refusal_is_not_a_quick_answer():
    outcomes = [Outcome(1.5, 1.501, 503)] * 99 + [Outcome(1.5, 2.5, 200)]
    assert figures(outcomes, 1.0, 2.0, 1).p50 == pytest.approx(1000)


def test_an_open_request_counts_with_the_time_it_waited():
    outcomes = [Outcome(1.0, 1.1, 200), Outcome(1.0, 9.0, UNANSWERED)]
    assert figures(outcomes, 1.0, 2.0, 1).p99 > 7000


def test_a_client_that_starves_all_the_time_is_counted():
    """One client is served at once again and again, another that asked first never."""
    served = [Outcome(1.0 + n / 10, 1.1 + n / 10, 200) for n in range(10)]
    found = figures([*served, Outcome(0.1, 5.1, 200)], 1.0, 2.0, 1)
    assert found.requests == 11
    assert found.p99 > 4000


def test_nothing_answered_gives_no_latency():
    found = figures([Outcome(1.5, 1.6, FAILED)], 1.0, 2.0, 1)
    assert np.isnan(found.p50)
    assert found.requests_per_second == 0
