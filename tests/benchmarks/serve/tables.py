"""Markdown tables of the results."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.benchmarks.serve.contestants import CONTESTANTS, PLAIN
from tests.benchmarks.serve.measure import SHARES, SPENT_CLIENTS, closed_name, open_name

Found = Mapping[str, Mapping[str, Any]]
"""What was measured, by contestant."""
REFERENCE_CLIENTS = 32
SPENT = {"others": "inference", "main": "event loop", "generator": "load generator"}
"""What a predictor's threads are for, and what is not part of it."""


def tables(
    found: Found, clients: Sequence[int], capacity: float, limits: Mapping[str, Mapping[str, float]]
) -> str:
    """All tables, each under its heading."""
    parts = {
        "Requests a second, one text a request, by clients in a closed loop": throughput(
            found, clients
        ),
        "p50 / p95 / p99 in milliseconds, the same": latency(found, clients),
        "p50 / p95 / p99 in milliseconds, open loop": open_loop(found, capacity),
        "16 texts a request, 8 clients": many(found, limits),
        "A bare ONNX Runtime loop, texts a second": bare_loop(limits),
        "Start, memory and accuracy": resources(found),
        f"Core time of a request in microseconds, {SPENT_CLIENTS} clients": spent(found),
    }
    return "\n\n".join(f"{heading}:\n\n{each}" for heading, each in parts.items())


def throughput(found: Found, clients: Sequence[int]) -> str:
    reference = closed_name(REFERENCE_CLIENTS)
    plain = found.get(PLAIN, {}).get(reference)

    def times(results: Mapping[str, Any]) -> str:
        if not plain or reference not in results:
            return ""
        return f"{_speed(results[reference]) / _speed(plain):.1f}"

    head = [*map(str, clients), f"times the plain way at {REFERENCE_CLIENTS}"]
    rows = [
        [name, *(f"{_speed(each[closed_name(n)]):.1f}" for n in clients), times(each)]
        for name, each in found.items()
    ]
    return table("contestant", head, rows)


def latency(found: Found, clients: Sequence[int]) -> str:
    rows = [
        [name, *(_latencies(each[closed_name(n)]) for n in clients)] for name, each in found.items()
    ]
    return table("contestant", map(str, clients), rows)


def open_loop(found: Found, capacity: float) -> str:
    head = [f"{share:.0%}: {share * capacity:.0f}/s" for share in SHARES]
    rows = [
        [name, *(_latencies(each[open_name(share)]) for share in SHARES)]
        for name, each in found.items()
    ]
    return table("contestant", head, rows)


def many(found: Found, limits: Mapping[str, Mapping[str, float]]) -> str:
    def share(name: str, results: Mapping[str, Any]) -> str:
        best = max(limits.get(name, {"": 0.0}).values())
        return f"{results['many']['texts_per_second'] / best:.0%}" if best else ""

    rows = [
        [
            name,
            f"{each['many']['texts_per_second']:.0f}",
            _latencies(each["many"]),
            share(name, each),
        ]
        for name, each in found.items()
    ]
    head = ["texts/s", "p50 / p95 / p99 ms", "share of the best bare loop"]
    return table("contestant", head, rows)


def bare_loop(limits: Mapping[str, Mapping[str, float]]) -> str:
    ways = next(iter(limits.values()))
    rows = [[way, *(f"{each[way]:.0f}" for each in limits.values())] for way in ways]
    return table("way", limits, rows)


def resources(found: Found) -> str:
    head = ["s to ready", "s to first answer", "MB when ready", "MB after load", "accuracy"]
    rows = [
        [
            name,
            f"{each['start']['ready_seconds']:.1f}",
            f"{each['start']['answer_seconds']:.1f}",
            f"{each['start']['megabytes']:.0f}",
            f"{each['megabytes after load']:.0f}",
            f"{each['accuracy']:.4f}",
        ]
        for name, each in found.items()
    ]
    return table("contestant", head, rows)


def spent(found: Found) -> str:
    """Of the contestants that are one process, whose event loop is the main thread."""
    rows = [
        [name, *(f"{each['spent'][part]:.0f}" for part in SPENT)]
        for name, each in found.items()
        if each.get("spent")
    ]
    return table("contestant", SPENT.values(), rows)


def generator_share(found: Found) -> float:
    """The largest share of one core that the load generator took in any measurement."""
    figures = [each for results in found.values() for each in results.values()]
    return max(
        each["generator_cpu"]
        for each in figures
        if isinstance(each, Mapping) and "generator_cpu" in each
    )


def _speed(figures: Mapping[str, Any]) -> float:
    return float(figures["requests_per_second"])


def _latencies(figures: Mapping[str, Any]) -> str:
    """Three percentiles, and what went wrong if anything did."""
    values = [figures[name] for name in ("p50", "p95", "p99")]
    cell = " / ".join(f"{each:.1f}" if each < 100 else f"{each:.0f}" for each in values)
    wrong = [
        f"{figures[name] / figures['requests']:.0%} {name}"
        for name in ("refused", "failed", "unanswered")
        if figures[name]
    ]
    return f"{cell} ({', '.join(wrong)})" if wrong else cell


def table(first: str, head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; contestants have their titles."""
    columns = [first, *head]
    lines = [columns, ["---"] * len(columns)]
    lines += [[title(row[0]), *row[1:]] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def title(name: str) -> str:
    """A contestant's name as a person reads it; other names as they are."""
    return CONTESTANTS[name].title if name in CONTESTANTS else name
