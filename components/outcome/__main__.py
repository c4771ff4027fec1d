"""Record how a run ended, from a shell: `python -m components.outcome --run ID --state FAILED`."""

import argparse
import os
from pathlib import Path

from components.command_line import errors_as_exit, start_logging
from components.errors import require_one_of
from components.outcome.run import Outcome, outcome
from components.outcome.settings import OutcomeSettings
from components.outcome.workflow import CANCELLED, FAILED, SUCCEEDED, UNKNOWN

STATES = (SUCCEEDED, FAILED, CANCELLED, UNKNOWN)


def main() -> None:
    """Record and report; the webhook's URL comes from WEBHOOK_URL."""
    parser = argparse.ArgumentParser(prog="python -m components.outcome", description=__doc__)
    parser.add_argument("--pipeline", default="emotion", help="name of the pipeline")
    parser.add_argument("--run", required=True, help="id of the run")
    parser.add_argument("--state", required=True, help=", ".join(STATES))
    parser.add_argument("--step", default="", help="the step that failed")
    parser.add_argument("--error", default="", help="why it did not succeed")
    parser.add_argument("--registry", default="", help="folder that keeps a copy, path or URI")
    parser.add_argument("--output", type=Path, default=Path("outcome.json"), help="file to write")
    arguments = parser.parse_args()
    start_logging()
    with errors_as_exit("outcome"):
        require_one_of("state", arguments.state, STATES)
        outcome(
            OutcomeSettings(arguments.registry, os.environ.get("WEBHOOK_URL", "")),
            Outcome(
                arguments.pipeline, arguments.run, arguments.state, arguments.step, arguments.error
            ),
            arguments.output,
        )


if __name__ == "__main__":
    main()
