"""The merge step from a shell: `python -m components.merge`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from components.command_line import PATH, command, errors_as_exit, settings_options, start_logging
from components.merge.settings import MergeSettings


@command()
@click.option("--output", type=PATH, required=True, help="Data set folder to write.")
@click.option("--report", type=PATH, help="HTML file to write.")
@click.option(
    "--synthetic",
    type=PATH,
    multiple=True,
    metavar="FOLDER",
    help="Folder of the generate step; may be repeated.",
)
@settings_options(MergeSettings)
def main(
    chosen: Callable[..., MergeSettings],
    output: Path,
    report: Path | None,
    synthetic: Sequence[Path],
) -> None:
    """Join real and synthetic rows into train, validation and test splits."""
    start_logging()
    with errors_as_exit("merge"):
        settings = chosen()
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.merge.run import merge

        merge(settings, synthetic, output, report=report)


if __name__ == "__main__":
    main()
