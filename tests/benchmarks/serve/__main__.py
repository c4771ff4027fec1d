"""The predictor against others with the same model: `make bench-serve`.

All contestants run one after the other on the same cores, with the load generator beside them.
What is finished stays in `--work`, so a run that was stopped goes on.
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

import matplotlib as mpl
import pandas as pd

from components import bundle
from components.checks import InputError
from components.logs import start_logging
from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.task import load_task
from tests.benchmarks.serve.contestants import CONTESTANTS, THIS
from tests.benchmarks.serve.environments import interpreter, serve_megabytes
from tests.benchmarks.serve.measure import Trial, capacity_of, measure
from tests.benchmarks.serve.picture import draw
from tests.benchmarks.serve.results import Results
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
    )


def conditions(trial: Trial) -> dict[str, Any]:
    """What must be the same for a result to be used again."""
    return {
        "model": bundle.verify(trial.model).sha256,
        "texts": sha256(json.dumps(trial.texts).encode()).hexdigest(),
        "seconds": trial.seconds,
        "warm_up": trial.warm_up,
        "arrivals": trial.arrivals,
        "threads": trial.threads,
    }


def measure_all(names: list[str], trial: Trial, work: Path) -> dict[str, Any]:
    """The results of each contestant that runs here; why one does not is logged."""
    key = conditions(trial)
    ours = Results(work / f"{THIS}.json", key)
    found = {}
    for name in sorted(names, key=list(CONTESTANTS).index):
        results = ours if name == THIS else Results(work / f"{name}.json", key)
        contestant, folder = CONTESTANTS[name], work / name
        try:
            python = interpreter(contestant.requirements, work)
            capacity = partial(capacity_of, ours, trial.clients)
            measure(contestant, trial, results, folder, python, capacity)
        except (InputError, subprocess.CalledProcessError) as error:
            if name == THIS:
                raise
            logging.warning("%s is not measured: %s", title(name), error)
            continue
        found[name] = results.found
    return found


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
    result.add_argument("--dataset", required=True, help="path of the real data set, or `sample`")
    result.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    result.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    result.add_argument("--warm-up", type=float, default=3.0, help="seconds before each")
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
    cores = sorted(os.sched_getaffinity(0))
    trial = trial_of(arguments, len(cores))
    found = measure_all(arguments.contestants, trial, arguments.work)
    machine = Results(arguments.work / "machine.json", conditions(trial))
    limits = {
        precision: machine.keep(f"bare {precision}", lambda p=precision: bare_loop(trial, p))
        for precision in bundle.ONNX
    }
    size = serve_megabytes(arguments.work)
    ours = Results(arguments.work / f"{THIS}.json", conditions(trial))
    source = "embedded sample" if arguments.dataset == "sample" else Path(arguments.dataset).name
    print(
        f"\nCores: {len(cores)}; {trial.seconds:g} s a measurement after {trial.warm_up:g} s,"
        f" {len(trial.texts)} test texts of the {source}, {trial.arrivals} arrivals\n"
    )
    print(tables(found, trial.clients, capacity_of(ours, trial.clients), limits))
    print(f"\nThe load generator took at most {generator_share(found):.0%} of a core.")
    print(f"Python environment with the `serve` extra alone: {size:.0f} MB.")
    picture = arguments.picture or arguments.work / "serve.svg"
    draw(found, trial.clients, picture)
    print(f"Picture: {picture}")


if __name__ == "__main__":
    main()
