"""Run the train step from a shell, or fine-tune as a worker of torchrun."""

import argparse
import logging
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from torch.distributed.elastic.multiprocessing.errors import record

from components import storage
from components.artifacts.publishing import publish
from components.command_line import (
    add_settings_options,
    chosen_settings,
    errors_as_exit,
    start_logging,
)
from components.errors import InputError
from components.train.default_copies import with_copies
from components.train.search.space import METRIC
from components.train.settings import TrainSettings


def main() -> None:
    """Train; an error ends the process with status 1 and one line."""
    arguments = _parser().parse_args()
    start_logging()
    with errors_as_exit("train"):
        # torchrun sets these variables for its workers.
        rank, processes = _number_in("RANK"), _number_in("WORLD_SIZE")
        if rank:
            logging.disable(logging.INFO)
        # torchrun reports a worker's error to its own caller only if the worker records it.
        run = record(_run) if processes else _run
        run(arguments, processes, rank)


def _number_in(variable: str) -> int:
    value = os.environ.get(variable, "0")
    if not re.fullmatch(r"[0-9]{1,9}", value):
        rule, fix = "is not a number of processes", "Unset it: torchrun sets it for its workers"
        raise InputError(f"{variable}={value!r}", rule, fix)
    return int(value)


def _run(arguments: argparse.Namespace, processes: int, rank: int) -> None:
    settings = chosen_settings(TrainSettings, arguments)
    settings = with_copies(settings, f"{arguments.output}.checkpoints")
    remote = storage.scheme_of(arguments.output)
    with TemporaryDirectory() as scratch:
        dataset = storage.fetch(arguments.dataset, Path(scratch))
        output = Path(scratch) / "model" if remote else Path(arguments.output)
        checkpoints = arguments.checkpoints or Path(f"{output}.checkpoints")
        real_only = Path(f"{output}.real_only")
        # These imports take seconds, and wrong arguments should be reported at once.
        from components.train.fine_tuning import fine_tune
        from components.train.run import train

        if processes or arguments.real_only:
            once = replace(settings, processes=max(processes, 1))
            history = fine_tune(once, dataset, output, checkpoints, arguments.real_only)
        else:
            history = train(settings, dataset, output, real_only, checkpoints)
        if remote and rank == 0:
            publish(output, arguments.output)
            if settings.ablation:
                publish(real_only, f"{arguments.output}.real_only")
    if rank == 0:
        # Katib looks for lines of this form; Trainer gets it from the training itself.
        sys.stdout.write(f"{METRIC}={history.best['macro_f1']:.6f}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m components.train", description=__doc__)
    parser.add_argument("--dataset", required=True, help="folder of the merge step, path or URI")
    parser.add_argument(
        "--output",
        required=True,
        help="model folder to write, path or URI; OUTPUT.real_only takes the model of an ablation",
    )
    parser.add_argument("--checkpoints", type=Path, help="folder; default: OUTPUT.checkpoints")
    parser.add_argument("--real-only", action="store_true", help="leave synthetic rows out")
    add_settings_options(parser)
    return parser


if __name__ == "__main__":
    main()
