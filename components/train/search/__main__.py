"""Search for the best training settings: `python -m components.train.search --dataset DIR`."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from components import storage
from components.command_line import start_logging
from components.errors import InputError
from components.train.arguments import read_settings
from components.train.search.space import SPACE
from components.train.search.tuned import tuned


def main() -> None:
    """Search; bad input ends the process with status 1 and a reason."""
    arguments = _parser().parse_args()
    start_logging()
    try:
        _search(arguments)
    except InputError as error:
        sys.exit(f"search: {error}")


def _search(arguments: argparse.Namespace) -> None:
    settings = read_settings(arguments.settings, arguments.set)
    with TemporaryDirectory() as scratch:
        dataset = storage.fetch(arguments.dataset, Path(scratch))
        tuned(settings, dataset, arguments.trials, arguments.study, arguments.space)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m components.train.search", description=__doc__)
    parser.add_argument("--dataset", required=True, help="folder of the merge step, path or URI")
    parser.add_argument("--space", default=str(SPACE), help="search space, path or URI")
    parser.add_argument("--settings", default="", help="YAML file of the other settings")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting; may be repeated",
    )
    parser.add_argument("--trials", type=int, default=20, help="trials of the study in all")
    parser.add_argument(
        "--study", type=Path, default=Path("runs/search/study.db"), help="SQLite file to go on with"
    )
    return parser


if __name__ == "__main__":
    main()
