"""Score many texts from a shell: `python -m components.predict --input ... --output ...`."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from components.command_line import chosen_settings, errors_as_exit, start_logging
from components.predict.settings import PredictSettings


@click.command()
@click.option("--input", "input_", default="", help="File or folder of rows, path or URI.")
@click.option("--output", default="", help="Folder for the same rows with labels, path or URI.")
@click.option("--model", default="", help="Model folder, path or URI, instead of a registry's.")
@click.option("--settings", default="", help="YAML file of settings, path or URI.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
def main(input_: str, output: str, model: str, settings: str, assignments: tuple[str, ...]) -> None:
    """Score many texts on this machine; a second call goes on where the first one ended."""
    start_logging()
    with errors_as_exit("predict"):
        places = {"input": input_, "output": output, "model": model}
        given = {name: place for name, place in places.items() if place}
        chosen = chosen_settings(
            PredictSettings, argparse.Namespace(settings=settings, set=list(assignments)), **given
        )
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.predict.run import plan, predict, report

        plan(chosen)
        predict(chosen)
        with TemporaryDirectory() as copies:
            folder = Path(copies)
            report(chosen, folder / "predictions.json", folder / "report.html")


if __name__ == "__main__":
    main()
