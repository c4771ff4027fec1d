"""What training takes in memory, and what a second process brings: `make bench-train DATA=folder`.

Each is measured in processes of its own, of one thread each, in turns.
"""

import logging
import multiprocessing
import os
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from components.artifacts.dataset import TRAIN, read_frame
from components.artifacts.task import load_task
from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.options import settings_of
from components.train.launch import fine_tune_in_processes
from components.train.settings import TrainSettings
from pipelines.parameters import read_parameters
from tests.benchmarks.bench_train import fresh, given, ours


def megabytes(settings: TrainSettings, dataset: Path) -> float:
    """What training adds at its peak to a process that has loaded the model."""
    rows = read_frame(dataset, TRAIN, load_task(settings.task).names)
    with TemporaryDirectory() as folder:
        model = fresh(settings, Path(folder))
        loaded = psutil.Process().memory_info().rss / 2**20
        del model
        ours(settings, rows, Path(folder))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - loaded


def speed(settings: TrainSettings, dataset: Path) -> float:
    """Rows a second of training."""
    with TemporaryDirectory() as folder:
        paths = (dataset, Path(folder) / "model", Path(folder) / "checkpoints")
        return fine_tune_in_processes(settings, *paths).rows_per_second


def alone(work: Callable[..., float], *arguments: Any) -> float:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def main() -> None:
    arguments = given(__doc__)
    logging.disable(logging.INFO)
    # Of this process's children alone: torch has counted its own already.
    os.environ["OMP_NUM_THREADS"] = "1"
    settings = settings_of(TrainSettings, **read_parameters(arguments.params))
    settings = replace(
        settings, base_model=arguments.encoder, base_model_revision="", epochs=1, processes=1
    )
    ways: dict[str, tuple[Callable[..., float], TrainSettings]] = {
        "full, MB that training adds": (megabytes, replace(settings, peft_method="full")),
        "lora, MB that training adds": (megabytes, settings),
        "one process, rows/s": (speed, replace(settings, min_int8_agreement=0.0)),
        "two processes, rows/s": (speed, replace(settings, min_int8_agreement=0.0, processes=2)),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    with TemporaryDirectory() as folder:
        dataset = Path(folder) / "data"
        merge(MergeSettings(dataset=arguments.dataset, max_train_rows=arguments.rows), [], dataset)
        for _ in range(arguments.times):
            for name, (work, chosen) in ways.items():
                found[name].append(alone(work, chosen, dataset))
    print("\n| | least | median | greatest |\n| --- | --- | --- | --- |")
    for name, values in found.items():
        values.sort()
        middle = values[len(values) // 2]
        print(f"| {name} | {values[0]:.0f} | {middle:.0f} | {values[-1]:.0f} |")


if __name__ == "__main__":
    main()
