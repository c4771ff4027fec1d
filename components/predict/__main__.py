"""The predict step from a shell: `python -m components.predict`."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from components.command_line import command, errors_as_exit, settings_options, start_logging
from components.predict.settings import PredictSettings


@command()
@click.option("--input", default="", help="File or folder of rows, path or URI.")
@click.option("--output", default="", help="Folder for the same rows with labels, path or URI.")
@click.option("--model", default="", help="Model folder, path or URI, instead of a registry's.")
@settings_options(PredictSettings)
def main(chosen: Callable[..., PredictSettings], **places: str) -> None:
    """Label many texts; a second call goes on where the first one ended."""
    start_logging()
    with errors_as_exit("predict"):
        settings = chosen(**{name: place for name, place in places.items() if place})
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.predict.run import plan, predict, report

        plan(settings)
        predict(settings)
        with TemporaryDirectory() as copies:
            folder = Path(copies)
            report(settings, folder / "predictions.json", folder / "report.html")


if __name__ == "__main__":
    main()
