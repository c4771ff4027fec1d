"""Run the pipeline `watch` on this machine: `python -m pipelines.local.watch --set ...`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from components.command_line import PATH, command, errors_as_exit, set_option
from pipelines.local.folders import new_folder, point_latest
from pipelines.parameter_sets import PARAMETER_SET

_RESULTS = {
    "watch/findings": "findings.json",
    "watch/report": "report.html",
    "watch/labelling": "labelling",
}


def watch_locally(parameters: dict[str, Any], folder: Path) -> None:
    """Run the pipeline with kfp.local's SubprocessRunner.

    Args:
        parameters: A value for every pipeline parameter.
        folder: New folder for everything that the run writes.

    Raises:
        WorkError: If the step fails.
    """
    from pipelines.local.runner import run_steps
    from pipelines.watch import watch_for

    run_steps(watch_for, parameters, folder, _RESULTS)


@command()
@click.option("--params", type=PARAMETER_SET, help="Parameter set: file, or name of one.")
@click.option("--payloads", default="", help="Folder of the payload log, path or URI.")
@click.option("--model", default="", help="Model folder, path or URI.")
@click.option("--reference", default="", help="Its evaluation, path or URI.")
@set_option()
@click.option("--runs", type=PATH, default="runs/watch", show_default=True, help="Folder of runs.")
def main(
    params: Path | None,
    payloads: str,
    model: str,
    reference: str,
    assignments: Sequence[str],
    runs: Path,
) -> None:
    """Compare what a model was asked with what it was trained on."""
    folder = new_folder(runs)
    with errors_as_exit("watch"):
        # Its imports take seconds, and wrong arguments should be reported at once.
        from pipelines.parameters import read_watch_parameters

        here = {
            "watch_payloads": payloads,
            "watch_options.model": model,
            "watch_options.reference": reference,
        }
        given = {name: value for name, value in here.items() if value}
        watch_locally(read_watch_parameters(params, assignments, given), folder)
    point_latest(folder)
    click.echo(f"  results  {folder}")


if __name__ == "__main__":
    main()
