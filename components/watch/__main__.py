"""The watch step from a shell: `python -m components.watch`."""

from collections.abc import Callable
from pathlib import Path

import click

from components.command_line import PATH, command, errors_as_exit, settings_options, start_logging
from components.watch.settings import WatchSettings


@command()
@click.option("--payloads", default="", help="Folder of the payload log, path or URI.")
@click.option("--model", default="", help="Model folder, path or URI.")
@click.option("--reference", default="", help="Its evaluation, path or URI.")
@click.option(
    "--output", type=PATH, required=True, help="Folder to write: findings, report, labelling."
)
@settings_options(WatchSettings)
def main(chosen: Callable[..., WatchSettings], output: Path, **places: str) -> None:
    """Compare what a model was asked with what it was trained on."""
    start_logging()
    with errors_as_exit("watch"):
        settings = chosen(**{name: place for name, place in places.items() if place})
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.watch.run import watch

        watch(settings, output / "findings.json", output / "report.html", output / "labelling")


if __name__ == "__main__":
    main()
