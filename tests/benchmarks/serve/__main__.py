"""The predictor against others with the same model: `make bench-serve`.

All contestants run one after the other on the same cores, with the load generator beside them, in
several rounds. What is finished stays in `--work`, so a run that was stopped goes on.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import matplotlib as mpl
import pandas as pd

from components import storage
from components.artifacts.model import bundle
from components.artifacts.task import load_task
from components.command_line import start_logging
from components.errors import StepError
from components.merge.run import merge
from components.merge.settings import MergeSettings
from tests.benchmarks.serve.contestants import CONTESTANTS, STUDENT, THIS
from tests.benchmarks.serve.environments import interpreter, serve_megabytes
from tests.benchmarks.serve.measure import Trial, capacity_of, measure
from tests.benchmarks.serve.picture import draw, draw_spent
from tests.benchmarks.serve.results import Results
from tests.benchmarks.serve.rounds import Round, medians, spread
from tests.benchmarks.serve.tables import generator_share, tables, title


def trial_of(arguments: argparse.Namespace, threads: int) -> Trial:
    """The texts and labels of the test split, and how they are sent."""
    dataset = arguments.work / "dataset"
    merge(MergeSettings(dataset=arguments.dataset), [], dataset)
    rows = pd.read_parquet(dataset / "test.parquet")
    rows = rows.head(arguments.texts or len(rows))
    names = load_task(MergeSettings.task).names
    return Trial(
        model=arguments.model,
        texts=list(rows["text"]),
        labels=[names[label] for label in rows["label"]],
        clients=arguments.clients,
        seconds=arguments.seconds,
        warm_up=arguments.warm_up,
        arrivals=arguments.arrivals,
        threads=threads,
        student=arguments.student,
    )


def conditions(trial: Trial, sources: Path | None = None) -> dict[str, Any]:
    """What must be the same for a result to be used again."""
    files = sorted(sources.rglob("*.py")) if sources else []
    return {
        "model": bundle.verify(trial.model).sha256,
        "student": bundle.verify(trial.student).sha256 if trial.student else "",
        "texts": sha256(json.dumps(trial.texts).encode()).hexdigest(),
        "seconds": trial.seconds,
        "warm_up": trial.warm_up,
        "arrivals": trial.arrivals,
        "threads": trial.threads,
        "sources": {str(each): storage.sha256(each) for each in files},
    }


def measure_all(names: list[str], trial: Trial, work: Path) -> dict[str, Any]:
    """The results of each contestant that runs here; why one does not is logged.

    Args:
        names: Contestants, this predictor first: its capacity sets the rates of the others.
        trial: What they are put through.
        work: Folder of the round, for results and logs; environments are beside it.
    """
    found: dict[str, Any] = {}
    for name in names:
        contestant = CONTESTANTS[name]
        results = Results(work / f"{name}.json", conditions(trial, contestant.sources))
        found[name] = results.found
        try:
            python = interpreter(contestant.requirements, work.parent)
            capacity = partial(capacity_of, found[THIS], trial.clients)
            measure(contestant, trial, results, work / name, python, capacity)
        except (StepError, httpx.HTTPError, subprocess.SubprocessError) as error:
            if name == THIS:
                raise
            logging.warning("%s is not measured: %s", title(name), error)
            del found[name]
    return found


def bare_loops(trial: Trial, work: Path) -> dict[str, dict[str, float]]:
    """Texts a second of ONNX Runtime alone, by precision and way."""
    results = Results(work / "bare.json", conditions(trial))
    for precision in bundle.ONNX:
        results.keep(precision, partial(bare_loop, trial, precision))
    return results.found


def bare_loop(trial: Trial, precision: str) -> dict[str, float]:
    """Texts a second of ONNX Runtime alone, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.serve.limit", "--model", trial.model]
    command += ["--precision", precision, "--threads", str(trial.threads)]
    command += ["--seconds", str(trial.seconds)]
    ended = subprocess.run(
        command, input=json.dumps(trial.texts), stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(ended.stdout)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m tests.benchmarks.serve", description=__doc__)
    result.add_argument("--model", type=Path, required=True, help="model folder as train writes it")
    result.add_argument("--student", type=Path, help="folder of a smaller model, to compare with")
    result.add_argument("--dataset", required=True, help="path of the real data set, or `sample`")
    result.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    result.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    result.add_argument("--warm-up", type=float, default=3.0, help="seconds before each")
    result.add_argument("--times", type=int, default=5, help="rounds, of which medians are shown")
    result.add_argument("--clients", nargs="+", type=int, default=[1, 8, 32, 128])
    result.add_argument("--arrivals", choices=["poisson", "even"], default="poisson")
    result.add_argument("--texts", type=int, default=0, help="test texts at most; 0 for all")
    result.add_argument("--cores", nargs="+", type=int, help="for all; by default all there are")
    result.add_argument("--work", type=Path, default=Path("runs/bench-serve"))
    result.add_argument("--picture", type=Path, help="SVG or PNG; by default in --work")
    return result


def main() -> None:
    arguments = parser().parse_args()
    start_logging()
    mpl.use("agg")
    # All processes that are started from here inherit the cores.
    os.sched_setaffinity(0, arguments.cores or os.sched_getaffinity(0))
    trial = trial_of(arguments, len(os.sched_getaffinity(0)))
    # This predictor always: its capacity sets the rates, and what is measured is not repeated.
    chosen = {THIS, *arguments.contestants} - ({STUDENT} if not arguments.student else set())
    names = [name for name in CONTESTANTS if name in chosen]
    rounds = [
        Round(measure_all(names, trial, folder), bare_loops(trial, folder))
        for folder in (arguments.work / str(number) for number in range(arguments.times))
    ]
    found = medians([each.found for each in rounds])
    limits = medians([each.limits for each in rounds])
    size = serve_megabytes(arguments.work)
    source = "embedded sample" if arguments.dataset == "sample" else Path(arguments.dataset).name
    print(
        f"\nCores: {trial.threads}; {trial.seconds:g} s a measurement after {trial.warm_up:g} s;"
        f" data set {source}, {len(trial.texts)} test texts; {trial.arrivals} arrivals.\n"
    )
    print(tables(found, trial.clients, capacity_of(found[THIS], trial.clients), limits))
    print(f"\nRatios of figures of one round:\n\n{spread(rounds)}")
    print(f"\nThe load generator took at most {generator_share(found):.0%} of a core.")
    print(f"Python environment with the `serve` extra alone: {size:.0f} MB.")
    picture = arguments.picture or arguments.work / "serve.svg"
    draw(found, trial.clients, picture)
    cores = picture.with_stem(f"{picture.stem}-cores")
    draw_spent(found, cores)
    print(f"Pictures: {picture}, {cores}")


if __name__ == "__main__":
    main()
