"""From single requests to the figures of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

FAILED = 0
"""Status of a request that got no HTTP answer, since the connection broke or it took too long."""
UNANSWERED = -1
"""Status of a request that was still open when the measurement ended."""
_REFUSALS = (429, 503)


class Outcome(NamedTuple):
    """What became of a request; times are seconds after the start of the load."""

    due: float
    """When it was to be sent; in a closed loop, when it was sent."""
    done: float
    """When its answer was whole, or when it was given up."""
    status: int
    """HTTP status, `FAILED` or `UNANSWERED`."""


@dataclass(frozen=True)
class Figures:
    """What a load measured."""

    requests_per_second: float
    texts_per_second: float
    p50: float
    """Milliseconds, as the other two."""
    p95: float
    p99: float
    requests: int
    """Requests that the latencies and the counts below are of."""
    refused: int
    failed: int
    unanswered: int
    generator_cpu: float
    """Share of one core that the load generator took."""


def figures(
    outcomes: Sequence[Outcome],
    start: float,
    end: float,
    texts_per_request: int,
    generator_cpu: float = 0.0,
) -> Figures:
    """Summarise the requests of a load.

    Throughput counts the right answers that arrived between start and end. Latencies are those of
    the requests that were due in that time, whenever their answers came, and of those that were
    due before and waited through all of it: an overloaded server must not look faster for leaving
    requests lying. One that was never answered counts with the time it had waited when it was given
    up. Refusals and failures are counted apart: a quick "no" is not a quick answer.

    Args:
        outcomes: All requests of the load.
        start: Seconds after the start of the load at which the measured time begins.
        end: Seconds at which it ends.
        texts_per_request: Texts in each.
        generator_cpu: Passed on.
    """
    answered = sum(each.status == 200 and start <= each.done < end for each in outcomes)
    due = [each for each in outcomes if each.due < end and (each.due >= start or each.done >= end)]
    waited = [each.done - each.due for each in due if each.status in (200, UNANSWERED)]
    p50, p95, p99 = np.percentile(waited, [50, 95, 99]) * 1000 if waited else [float("nan")] * 3
    refused = sum(each.status in _REFUSALS for each in due)
    unanswered = sum(each.status == UNANSWERED for each in due)
    right = sum(each.status == 200 for each in due)
    return Figures(
        requests_per_second=answered / (end - start),
        texts_per_second=answered * texts_per_request / (end - start),
        p50=float(p50),
        p95=float(p95),
        p99=float(p99),
        requests=len(due),
        refused=refused,
        failed=len(due) - right - refused - unanswered,
        unanswered=unanswered,
        generator_cpu=generator_cpu,
    )
