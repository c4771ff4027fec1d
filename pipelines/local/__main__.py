"""Run the pipeline on this machine: `python -m pipelines.local --params FILE`."""

from collections.abc import Sequence
from pathlib import Path

import click

from components.command_line import PATH, command, errors_as_exit, set_option
from pipelines.local.folders import new_folder, point_latest
from pipelines.parameter_sets import PARAMETER_SET


@command()
@click.option(
    "--params",
    type=PARAMETER_SET,
    default="local",
    show_default=True,
    help="Parameter set: file, or name of one that is shipped.",
)
@set_option()
@click.option("--runs", type=PATH, default="runs", show_default=True, help="Folder of all runs.")
def main(params: Path, assignments: Sequence[str], runs: Path) -> None:
    """Run the whole pipeline on this machine."""
    folder = new_folder(runs)
    with errors_as_exit("run"):
        # Its imports take seconds, and wrong arguments should be reported at once.
        from pipelines.local.run import run_locally, summary
        from pipelines.parameters import read_parameters

        evaluation, seconds = run_locally(read_parameters(params, assignments), folder)
    point_latest(folder)
    click.echo(summary(evaluation, seconds, folder))


if __name__ == "__main__":
    main()
