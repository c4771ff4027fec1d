"""Several rounds of the same measurements: their medians, and how far they lie apart.

A machine is faster in one minute than in another, so ratios are those of figures of one round.
"""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.benchmarks.serve.contestants import THIS
from tests.benchmarks.serve.measure import closed_name, open_name
from tests.benchmarks.serve.tables import REFERENCE_CLIENTS, Found, table, title

Figure = Callable[["Round"], float]


class Round(NamedTuple):
    """What was measured in one round: contestants, and the bare loops by precision."""

    found: Found
    limits: Mapping[str, Mapping[str, float]]


def medians(values: Sequence[Any]) -> Any:
    """The median of each number in equal structures; what is no number is that of the first."""
    first = values[0]
    if isinstance(first, Mapping):
        known = [name for name in first if all(name in each for each in values)]
        return {name: medians([each[name] for each in values]) for name in known}
    is_number = isinstance(first, int | float) and not isinstance(first, bool)
    return statistics.median(values) if is_number else first


def spread(rounds: Sequence[Round]) -> str:
    """A table of ratios: least, median and greatest over the rounds.

    A contestant that is not in every round has none.
    """
    rows = []
    for name, figure in _ratios(medians([each.found for each in rounds])):
        values = [figure(each) for each in rounds]
        cells = (min(values), statistics.median(values), max(values))
        rows.append([name, *(f"{value:.2f}" for value in cells)])
    return table(f"ratio, {len(rounds)} rounds", ["least", "median", "greatest"], rows)


def _ratios(found: Found) -> Iterator[tuple[str, Figure]]:
    clients = closed_name(REFERENCE_CLIENTS)
    speed, texts = "requests_per_second", "texts_per_second"
    for other in found:
        if other != THIS and clients in found[other]:
            name = f"{REFERENCE_CLIENTS} clients, int8 to: {title(other)}"
            yield (
                name,
                lambda one, other=other: (
                    one.found[THIS][clients][speed] / one.found[other][clients][speed]
                ),
            )
    if clients in found[THIS]:
        name = f"{REFERENCE_CLIENTS} clients, int8 to the best bare loop"
        yield name, lambda one: one.found[THIS][clients][speed] / _best(one)
    yield (
        "16 texts a request, int8 to the best bare loop",
        lambda one: one.found[THIS]["many"][texts] / _best(one),
    )
    for share in (0.5, 0.7):
        loaded = open_name(share)
        yield (
            f"p99 to p50 at {share:.0%} load, int8",
            lambda one, loaded=loaded: (
                one.found[THIS][loaded]["p99"] / one.found[THIS][loaded]["p50"]
            ),
        )


def _best(one: Round) -> float:
    return max(one.limits[THIS].values())
