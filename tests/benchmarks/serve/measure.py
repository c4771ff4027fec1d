"""All that is measured of one contestant, in the order of the measurements."""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from tests.benchmarks.serve.contestants import Contestant
from tests.benchmarks.serve.load import Load
from tests.benchmarks.serve.results import Results
from tests.benchmarks.serve.server import Server, started

SHARES = (0.25, 0.5, 0.7, 0.9)
"""Rates of the open loop, as shares of the capacity of this predictor."""
SPENT_CLIENTS = 32
"""Clients under which the time of the cores is told apart."""
MANY = 16
MANY_CLIENTS = 8
_GROUPS = 64


@dataclass(frozen=True)
class Trial:
    """What every contestant is put through."""

    model: Path
    texts: Sequence[str]
    labels: Sequence[str]
    """The right label of each text."""
    clients: Sequence[int]
    seconds: float
    warm_up: float
    arrivals: str
    threads: int
    seed: int = 0
    student: Path | None = None
    """A smaller model, which a contestant of its own serves."""


def measure(
    contestant: Contestant,
    trial: Trial,
    results: Results,
    work: Path,
    python: Path,
    capacity: Callable[[], float],
) -> None:
    """Measure what is not among the results yet; the server is started only if anything is.

    Args:
        contestant: Who is measured.
        trial: What it is put through.
        results: Where the figures go.
        work: Folder for its log and for what it has to have made.
        python: The interpreter of its environment.
        capacity: Requests a second that this predictor answers; asked when its closed loop
            has been measured.
    """
    model = trial.student if contestant.is_of_student and trial.student else trial.model
    with ExitStack() as stack:

        @cache
        def server() -> Server:
            return stack.enter_context(
                started(contestant, model, work, python, trial.threads, trial.texts[0])
            )

        results.keep("start", lambda: server().start_figures())
        results.keep("accuracy", lambda: _accuracy(server(), trial))
        for clients in trial.clients:
            results.keep(
                closed_name(clients), lambda n=clients: send_load(server(), trial, clients=n)
            )
        if SPENT_CLIENTS in trial.clients:
            results.keep("spent", lambda: _spent(server(), trial))
        results.keep("many", lambda: _send_many(server(), trial))
        for share in SHARES:
            rate = share * capacity()
            results.keep(open_name(share), partial(_send_at, server, trial, rate))
        results.keep("megabytes after load", lambda: server().megabytes())


def closed_name(clients: int) -> str:
    return f"clients {clients}"


def open_name(share: float) -> str:
    return f"load {share:.0%}"


def capacity_of(found: Mapping[str, Any], clients: Sequence[int]) -> float:
    """The highest throughput of a closed loop, in requests a second."""
    return max(found[closed_name(each)]["requests_per_second"] for each in clients)


def _accuracy(server: Server, trial: Trial) -> float:
    given: list[str] = []
    for start in range(0, len(trial.texts), MANY):
        given += server.labels(list(trial.texts[start : start + MANY]))
    hits = [label == right for label, right in zip(given, trial.labels, strict=True)]
    return sum(hits) / len(hits)


def _spent(server: Server, trial: Trial) -> dict[str, float]:
    """Core time of a request in microseconds: of the main thread, the others, the generator.

    Nothing for a server of several processes, whose main thread is no event loop.
    """
    if server.process.children():
        return {}
    before = server.thread_seconds()
    figures = send_load(server, trial, clients=SPENT_CLIENTS)
    main, others = (
        after - each for after, each in zip(server.thread_seconds(), before, strict=True)
    )
    seconds = trial.warm_up + trial.seconds
    requests = figures["requests_per_second"] * seconds
    parts = {"main": main, "others": others, "generator": figures["generator_cpu"] * seconds}
    return {name: 1e6 * each / requests for name, each in parts.items()}


def _send_at(server: Callable[[], Server], trial: Trial, rate: float) -> dict[str, Any]:
    return send_load(server(), trial, rate=rate, arrivals=trial.arrivals)


def _send_many(server: Server, trial: Trial) -> dict[str, Any]:
    chosen = random.Random(trial.seed)
    size = min(MANY, len(trial.texts))
    groups = [chosen.sample(list(trial.texts), size) for _ in range(_GROUPS)]
    return send_load(server, trial, groups, clients=MANY_CLIENTS)


def send_load(
    server: Server, trial: Trial, groups: Sequence[Sequence[str]] = (), **how: Any
) -> dict[str, Any]:
    """Send a load from a process of its own.

    Args:
        server: Who gets it.
        trial: Says for how long.
        groups: The texts of each request; by default every text alone.
        how: `clients`, or `rate` and `arrivals`.
    """
    # Answered once what an earlier load may have left in the queue is done.
    server.labels([trial.texts[0]])
    groups = groups or [[text] for text in trial.texts]
    load = Load(
        url=server.url + server.contestant.predict,
        bodies=[json.dumps(server.contestant.body(group)) for group in groups],
        texts_per_request=len(groups[0]),
        seconds=trial.seconds,
        warm_up=trial.warm_up,
        seed=trial.seed,
        **how,
    )
    ended = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.serve.load"],
        input=json.dumps(asdict(load)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=load.warm_up + load.seconds + load.drain + 60,
    )
    return json.loads(ended.stdout)
