"""Two predictors on two cores against one on one core: `make bench-replicas`.

Each predictor is bound to a core of its own and has its own clients, which ask again as soon as
they have an answer. The clients share the cores with the predictors, since there may be no others:
a request holds many texts, so that they take little. One and two take turns, so that a busy machine
is busy for both; texts by second of the predictors' CPU time tell what others on the machine took.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from components.command_line import start_logging
from tests.benchmarks.bench_scaling import predictor_on, trial_of
from tests.benchmarks.serve.measure import Trial, send_load
from tests.benchmarks.serve.server import Server

CLIENTS = 4
_GROUPS = 64
_HEAD = ("predictors", "texts/s", "texts by second of their CPU time", "cores", "clients' cores")


@dataclass(frozen=True)
class Throughput:
    """What some predictors have done together.

    Args:
        texts: Answered texts a second.
        cores: CPU time of the predictors a second.
        clients: CPU time of their clients a second.
    """

    texts: float
    cores: float
    clients: float

    @property
    def by_cpu(self) -> float:
        """Answered texts by second of the predictors' CPU time."""
        return self.texts / self.cores


def throughput(servers: Sequence[Server], trial: Trial, texts: int) -> Throughput:
    """Keep servers busy at the same time, by clients that ask for so many texts at once."""
    chosen = random.Random(trial.seed)
    groups = [chosen.sample(list(trial.texts), texts) for _ in range(_GROUPS)]
    before = _cpu_seconds(servers)
    with ThreadPoolExecutor(len(servers)) as pool:
        loads = [pool.submit(send_load, each, trial, groups, clients=CLIENTS) for each in servers]
        found = [each.result() for each in loads]
    used = _cpu_seconds(servers) - before
    return Throughput(
        sum(each["texts_per_second"] for each in found),
        used / trial.seconds,
        sum(each["generator_cpu"] for each in found),
    )


def _cpu_seconds(servers: Sequence[Server]) -> float:
    times = [each.process.cpu_times() for each in servers]
    return sum(each.user + each.system for each in times)


def rows(
    servers: Sequence[Server], trial: Trial, texts: int, times: int
) -> Iterator[tuple[str, ...]]:
    """The lines of the table: medians of pairs of measurements, the last one how one compares."""
    pairs = [
        (throughput(servers[:1], trial, texts), throughput(servers, trial, texts))
        for _ in range(times)
    ]
    for number, found in zip(("one", "two"), zip(*pairs, strict=True), strict=True):
        per_second, by_cpu, cores, clients = (
            median(getattr(each, name) for each in found)
            for name in ("texts", "by_cpu", "cores", "clients")
        )
        yield number, f"{per_second:,.0f}", f"{by_cpu:,.0f}", f"{cores:.2f}", f"{clients:.2f}"
    ratios = ([b.texts / a.texts for a, b in pairs], [2 * b.by_cpu / a.by_cpu for a, b in pairs])
    shown = (f"{median(each):.2f} times ({min(each):.2f} to {max(each):.2f})" for each in ratios)
    yield ("two to one", *shown, "", "")


def measure(arguments: argparse.Namespace) -> None:
    """Print the table."""
    trial, work = trial_of(arguments), arguments.work
    with ExitStack() as stack:
        servers = [
            stack.enter_context(predictor_on(core, trial, work / f"core-{core}"))
            for core in arguments.cores
        ]
        found = rows(servers, trial, arguments.texts, arguments.times)
        for line in (_HEAD, ["---"] * len(_HEAD), *found):
            print(f"| {' | '.join(line)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_replicas")
    parser.description = __doc__
    parser.add_argument("--model", type=Path, required=True, help="model folder as train writes it")
    parser.add_argument("--dataset", type=Path, required=True, help="folder of the merge step")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--times", type=int, default=5, help="pairs of measurements")
    parser.add_argument("--texts", type=int, default=16, help="in a request")
    parser.add_argument("--cores", type=int, nargs=2, default=[0, 1], help="one for each predictor")
    parser.add_argument("--work", type=Path, default=Path("runs/bench-replicas"))
    start_logging()
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
