"""The evaluate step from a shell: `python -m components.evaluate`."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from components import storage
from components.artifacts.evaluation import METRICS
from components.command_line import PATH, command, errors_as_exit, settings_options, start_logging
from components.evaluate.settings import EvaluateSettings


@command()
@click.option("--model", required=True, help="Folder of the train step, path or URI.")
@click.option("--dataset", required=True, help="Folder of the merge step, path or URI.")
@click.option(
    "--output", type=PATH, required=True, help="Folder to write: evaluation, report, model card."
)
@click.option("--real-only", type=PATH, help="Model trained without synthetic rows.")
@settings_options(EvaluateSettings)
def main(
    chosen: Callable[..., EvaluateSettings],
    model: str,
    dataset: str,
    output: Path,
    real_only: Path | None,
) -> None:
    """Score a model as it is served, and judge it by its gate."""
    start_logging()
    with errors_as_exit("evaluate"), TemporaryDirectory() as scratch:
        settings = chosen()
        fetched = storage.fetch(model, Path(scratch, "model"))
        rows = storage.fetch(dataset, Path(scratch, "dataset"))
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.evaluate.run import evaluate

        evaluate(
            settings,
            fetched,
            rows,
            evaluation=output / METRICS,
            report=output / "report.html",
            card=output / "model_card.md",
            real_only=real_only,
        )


if __name__ == "__main__":
    main()
