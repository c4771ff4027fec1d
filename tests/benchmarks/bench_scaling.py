"""What autoscalers see of one predictor on one core, as its load rises: `make bench-scaling`.

Poisson arrivals, at shares of the most that the predictor answers. What is under way and what waits
are the growth of its metrics in a second: each second, the requests that are under way spend a
second together (Little's law).
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pandas as pd
from prometheus_client.parser import text_string_to_metric_families

from components.command_line import start_logging
from tests.benchmarks.serve.contestants import CONTESTANTS, THIS
from tests.benchmarks.serve.measure import Trial, send_load
from tests.benchmarks.serve.server import Server, started

CLIENTS = 32
SHARES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0)
_HEAD = ("requests/s", "share of the most", "p50 / p95 / p99 ms", "cores", "under way", "waiting")
_CPU = "process_cpu_seconds_total"
_SUMS = (_CPU, "classifier_request_seconds_sum", "classifier_queue_seconds_sum")


def sums(exposition: str) -> Mapping[str, float]:
    """Seconds that a predictor has counted, by name of the metric; those of all routes as one."""
    found = dict.fromkeys(_SUMS, 0.0)
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            if sample.name in found and sample.labels.get("route") != "/metrics":
                found[sample.name] += sample.value
    return found


def rows(server: Server, trial: Trial) -> Iterator[tuple[str, ...]]:
    """The lines of the table, each of a load."""
    most = send_load(server, trial, clients=CLIENTS)["requests_per_second"]
    for share in SHARES:
        before = _counted(server)
        figures = send_load(server, trial, rate=share * most, arrivals=trial.arrivals)
        after = _counted(server)
        cpu, under_way, waiting = ((after[name] - before[name]) / trial.seconds for name in _SUMS)
        latencies = " / ".join(f"{figures[name]:.1f}" for name in ("p50", "p95", "p99"))
        yield (
            f"{share * most:.0f}",
            f"{share:.0%}",
            latencies,
            f"{cpu:.2f}",
            f"{under_way:.1f}",
            f"{waiting:.1f}",
        )


def _counted(server: Server) -> Mapping[str, float]:
    return sums(httpx.get(f"{server.url}/metrics", trust_env=False).text)


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Start the processes of a block on some cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def trial_of(arguments: argparse.Namespace) -> Trial:
    """What a predictor with one thread is put through, by the options of a benchmark."""
    return Trial(
        model=arguments.model,
        texts=list(pd.read_parquet(arguments.dataset / "test.parquet")["text"]),
        labels=[],
        clients=[],
        seconds=arguments.seconds,
        warm_up=0,
        arrivals="poisson",
        threads=1,
    )


@contextmanager
def predictor_on(core: int, trial: Trial, work: Path) -> Iterator[Server]:
    """Run the predictor on one core for the length of a block."""
    python, this = Path(sys.executable), CONTESTANTS[THIS]
    with ExitStack() as stack:
        with on_cores({core}):
            running = started(this, trial.model, work, python, trial.threads, trial.texts[0])
            server = stack.enter_context(running)
        yield server


def measure(arguments: argparse.Namespace) -> None:
    """Print the table."""
    trial, others = trial_of(arguments), os.sched_getaffinity(0) - {arguments.core}
    with predictor_on(arguments.core, trial, arguments.work) as server, on_cores(others):
        for line in (_HEAD, ["---"] * len(_HEAD), *rows(server, trial)):
            print(f"| {' | '.join(line)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_scaling")
    parser.description = __doc__
    parser.add_argument("--model", type=Path, required=True, help="model folder as train writes it")
    parser.add_argument("--dataset", type=Path, required=True, help="folder of the merge step")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each load")
    parser.add_argument("--core", type=int, default=0, help="the predictor's; the load has others")
    parser.add_argument("--work", type=Path, default=Path("runs/bench-scaling"))
    start_logging()
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
