"""Run the evaluate step from a shell."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from components import storage
from components.artifacts.evaluation import METRICS
from components.command_line import (
    add_settings_options,
    chosen_settings,
    errors_as_exit,
    start_logging,
)
from components.evaluate.settings import EvaluateSettings


def main() -> None:
    """Evaluate; an error ends the process with status 1 and one line."""
    arguments = _parser().parse_args()
    start_logging()
    with errors_as_exit("evaluate"), TemporaryDirectory() as scratch:
        settings = chosen_settings(EvaluateSettings, arguments)
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.evaluate.run import evaluate

        evaluate(
            settings,
            model=storage.fetch(arguments.model, Path(scratch, "model")),
            dataset=storage.fetch(arguments.dataset, Path(scratch, "dataset")),
            evaluation=arguments.output / METRICS,
            report=arguments.output / "report.html",
            card=arguments.output / "model_card.md",
            real_only=arguments.real_only,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m components.evaluate", description=__doc__)
    parser.add_argument("--model", required=True, help="folder of the train step, path or URI")
    parser.add_argument("--dataset", required=True, help="folder of the merge step, path or URI")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder to write: evaluation, report, model card"
    )
    parser.add_argument("--real-only", type=Path, help="model trained without synthetic rows")
    add_settings_options(parser)
    return parser


if __name__ == "__main__":
    main()
