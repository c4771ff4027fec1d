"""The outcome step from a shell: `python -m components.outcome --run ID --state FAILED`."""

import os
from pathlib import Path

import click

from components.command_line import PATH, command, errors_as_exit, start_logging
from components.errors import require_one_of
from components.outcome.settings import OutcomeSettings
from components.outcome.workflow import CANCELLED, FAILED, SUCCEEDED, UNKNOWN

STATES = (SUCCEEDED, FAILED, CANCELLED, UNKNOWN)


@command()
@click.option("--pipeline", default="emotion", help="Name of the pipeline.")
@click.option("--run", required=True, help="Id of the run.")
@click.option("--state", required=True, help=f"{', '.join(STATES)}.")
@click.option("--step", default="", help="The step that failed.")
@click.option("--error", default="", help="Why it did not succeed.")
@click.option("--registry", default="", help="Folder that keeps a copy, path or URI.")
@click.option("--output", type=PATH, default="outcome.json", help="File to write.")
def main(
    pipeline: str, run: str, state: str, step: str, error: str, registry: str, output: Path
) -> None:
    """Record how a run ended, and report it.

    The webhook's URL comes from WEBHOOK_URL.
    """
    start_logging()
    with errors_as_exit("outcome"):
        require_one_of("state", state, STATES)
        from components.outcome.run import Outcome, outcome

        outcome(
            OutcomeSettings(registry, os.environ.get("WEBHOOK_URL", "")),
            Outcome(pipeline, run, state, step, error),
            output,
        )


if __name__ == "__main__":
    main()
