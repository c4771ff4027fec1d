"""Run the train step from a shell, or fine-tune as a worker of torchrun."""

import logging
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from components import storage
from components.artifacts.model.history import read_trials
from components.artifacts.publishing import overwrite, publish
from components.command_line import PATH, command, errors_as_exit, settings_options, start_logging
from components.errors import InputError
from components.train.default_copies import with_copies
from components.train.search.space import METRIC
from components.train.settings import TrainSettings


@dataclass(frozen=True)
class _Request:
    """What the command line asks for."""

    chosen: Callable[..., TrainSettings]
    dataset: str
    output: str
    checkpoints: Path | None
    real_only: bool
    replace: bool
    trials: str


@command()
@click.option("--dataset", required=True, help="Folder of the merge step, path or URI.")
@click.option(
    "--output",
    required=True,
    help="Model folder to write, path or URI; OUTPUT.real_only takes the model of an ablation.",
)
@click.option("--checkpoints", type=PATH, help="Folder; default: OUTPUT.checkpoints.")
@click.option("--real-only", is_flag=True, help="Leave synthetic rows out.")
@click.option("--replace", is_flag=True, help="Replace what an earlier try has left as OUTPUT.")
@click.option("--trials", default="", help="Trials of a search, to be kept; path or URI.")
@settings_options(TrainSettings)
def main(**given: Any) -> None:
    """Fine-tune an encoder, and write it as a sealed model folder."""
    start_logging()
    with errors_as_exit("train"):
        # torchrun sets these variables for its workers.
        rank, processes = _number_in("RANK"), _number_in("WORLD_SIZE")
        if rank:
            logging.disable(logging.INFO)
        _recorded(processes)(_Request(**given), processes, rank)


def _recorded(processes: int) -> Callable[[_Request, int, int], None]:
    """The work; torchrun reports a worker's error to its own caller only if it is recorded."""
    if not processes:
        return _run
    from torch.distributed.elastic.multiprocessing.errors import record

    return record(_run)


def _number_in(variable: str) -> int:
    value = os.environ.get(variable, "0")
    if not re.fullmatch(r"[0-9]{1,9}", value):
        rule, fix = "is not a number of processes", "Unset it: torchrun sets it for its workers"
        raise InputError(f"{variable}={value!r}", rule, fix)
    return int(value)


def _run(request: _Request, processes: int, rank: int) -> None:
    settings = with_copies(request.chosen(), f"{request.output}.checkpoints")
    remote = storage.scheme_of(request.output)
    with TemporaryDirectory() as scratch:
        dataset = storage.fetch(request.dataset, Path(scratch))
        output = Path(scratch) / "model" if remote else Path(request.output)
        checkpoints = request.checkpoints or Path(f"{output}.checkpoints")
        real_only = Path(f"{output}.real_only")
        # These imports take seconds, and wrong arguments should be reported at once.
        from components.train.fine_tuning import fine_tune
        from components.train.run import train

        trials = storage.fetch(request.trials, Path(scratch)) if request.trials else None
        if processes or request.real_only:
            once, known = replace(settings, processes=max(processes, 1)), read_trials(trials)
            history = fine_tune(once, dataset, output, checkpoints, request.real_only, known)
        else:
            history = train(settings, dataset, output, real_only, checkpoints, trials=trials)
        if remote and rank == 0:
            (overwrite if request.replace else publish)(output, request.output)
            if settings.ablation:
                publish(real_only, f"{request.output}.real_only")
    if rank == 0:
        # Katib looks for lines of this form; Trainer gets it from the training itself.
        sys.stdout.write(f"{METRIC}={history.best['macro_f1']:.6f}\n")


if __name__ == "__main__":
    main()
