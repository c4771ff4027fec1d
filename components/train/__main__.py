"""Train from a shell, as a torchrun worker or in a TrainJob: `python -m components.train`."""

import argparse
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlparse

from torch.distributed.elastic.multiprocessing.errors import record

from components import storage
from components.artifacts.registry import publish
from components.command_line import start_logging
from components.errors import InputError
from components.train.arguments import read_settings
from components.train.search.space import METRIC


def main() -> None:
    """Train; bad input ends the process with status 1 and a reason."""
    arguments = _parser().parse_args()
    # torchrun tells its workers by these variables who they are.
    rank, processes = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "0"))
    start_logging()
    if rank:
        logging.disable(logging.INFO)
    # torchrun tells whoever started it of a worker's error if the worker records it.
    step = record(_train) if processes else _train
    try:
        step(arguments, processes, rank)
    except InputError as error:
        sys.exit(f"train: {error}")


def _train(arguments: argparse.Namespace, processes: int, rank: int) -> None:
    settings = read_settings(arguments.settings, arguments.set)
    remote = urlparse(arguments.output).scheme
    with TemporaryDirectory() as scratch:
        dataset = storage.fetch(arguments.dataset, Path(scratch))
        output = Path(scratch) / "model" if remote else Path(arguments.output)
        checkpoints = arguments.checkpoints or output.with_name(output.name + ".checkpoints")
        paths = (dataset, output, checkpoints)
        # These take seconds to import, and bad arguments should be told of at once.
        from components.train.launch import train_in_processes
        from components.train.run import train

        if processes:
            history = train(replace(settings, processes=processes), *paths, arguments.real_only)
        else:
            history = train_in_processes(settings, *paths, arguments.real_only)
        if remote and rank == 0:
            publish(output, arguments.output)
    if rank == 0:
        # Katib's metrics collector looks for lines of this form.
        sys.stdout.write(f"{METRIC}={history.best['macro_f1']:.6f}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m components.train", description=__doc__)
    parser.add_argument("--dataset", required=True, help="folder of the merge step, path or URI")
    parser.add_argument("--output", required=True, help="model folder to write, path or URI")
    parser.add_argument("--checkpoints", type=Path, help="folder; default: OUTPUT.checkpoints")
    parser.add_argument("--settings", default="", help="YAML file of settings, path or URI")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting; may be repeated",
    )
    parser.add_argument("--real-only", action="store_true", help="leave synthetic rows out")
    return parser


if __name__ == "__main__":
    main()
