"""Run the pipeline `watch` on this machine: `python -m pipelines.local.watch --set ...`."""

import argparse
from datetime import datetime
from pathlib import Path
from typing import Any

from components.command_line import add_set_option, errors_as_exit
from pipelines.local.runner import point_latest, run_steps
from pipelines.parameters import read_watch_parameters
from pipelines.watch import watch_for

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
    run_steps(watch_for, parameters, folder, _RESULTS)


def main() -> None:
    """Run the pipeline; exit with status 1 and a reason if its step fails."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.local.watch", description=__doc__)
    parser.add_argument("--params", type=Path, help="parameter set")
    parser.add_argument("--payloads", default="", help="folder of the payload log, path or URI")
    parser.add_argument("--model", default="", help="model folder, path or URI")
    parser.add_argument("--reference", default="", help="its evaluation, path or URI")
    add_set_option(parser)
    parser.add_argument("--runs", type=Path, default=Path("runs/watch"), help="folder of all runs")
    arguments = parser.parse_args()
    folder = arguments.runs.resolve() / datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    with errors_as_exit("watch"):
        here = {
            "watch_payloads": arguments.payloads,
            "watch_options.model": arguments.model,
            "watch_options.reference": arguments.reference,
        }
        given = {name: value for name, value in here.items() if value}
        watch_locally(read_watch_parameters(arguments.params, arguments.set, given), folder)
    point_latest(folder)
    print(f"  results  {folder}")


if __name__ == "__main__":
    main()
