"""Search for the best training settings: `python -m components.train.search --dataset DIR`."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from components import storage
from components.command_line import (
    add_settings_options,
    chosen_settings,
    errors_as_exit,
    start_logging,
)
from components.train.search.space import SPACE
from components.train.search.study import tuned
from components.train.settings import TrainSettings


def main() -> None:
    """Search; an error ends the process with status 1 and one line."""
    arguments = _parser().parse_args()
    start_logging()
    with errors_as_exit("search"), TemporaryDirectory() as scratch:
        settings = chosen_settings(TrainSettings, arguments)
        dataset = storage.fetch(arguments.dataset, Path(scratch))
        tuned(settings, dataset, arguments.trials, arguments.study, arguments.space)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m components.train.search", description=__doc__)
    parser.add_argument("--dataset", required=True, help="folder of the merge step, path or URI")
    parser.add_argument("--space", default=str(SPACE), help="search space, path or URI")
    parser.add_argument("--trials", type=int, default=20, help="trials, earlier ones included")
    study = Path("runs/search/study.sqlite")
    parser.add_argument("--study", type=Path, default=study, help="SQLite file to resume from")
    add_settings_options(parser)
    return parser


if __name__ == "__main__":
    main()
