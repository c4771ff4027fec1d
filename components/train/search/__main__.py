"""Search for the best training settings: `python -m components.train.search --dataset DIR`."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from components import storage
from components.command_line import PATH, command, errors_as_exit, settings_options, start_logging
from components.train.search.space import SPACE
from components.train.settings import TrainSettings


@command()
@click.option("--dataset", required=True, help="Folder of the merge step, path or URI.")
@click.option("--space", default=str(SPACE), help="Search space, path or URI.")
@click.option(
    "--trials", type=int, default=20, show_default=True, help="Trials, earlier ones included."
)
@click.option(
    "--study",
    type=PATH,
    default="runs/search/study.sqlite",
    show_default=True,
    help="SQLite file to resume from.",
)
@settings_options(TrainSettings)
def main(
    chosen: Callable[..., TrainSettings], dataset: str, space: str, trials: int, study: Path
) -> None:
    """Search for the best settings of the train step."""
    start_logging()
    with errors_as_exit("search"), TemporaryDirectory() as scratch:
        settings = chosen()
        rows = storage.fetch(dataset, Path(scratch))
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.train.search.study import tuned

        tuned(settings, rows, trials, study, space)


if __name__ == "__main__":
    main()
