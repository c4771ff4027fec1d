"""Run the watch step from a shell."""

import argparse
from pathlib import Path

from components.command_line import (
    add_settings_options,
    chosen_settings,
    errors_as_exit,
    start_logging,
)
from components.watch.settings import WatchSettings


def main() -> None:
    """Watch; an error ends the process with status 1 and one line."""
    arguments = _parser().parse_args()
    start_logging()
    with errors_as_exit("watch"):
        given = {name: getattr(arguments, name) for name in ("payloads", "model", "reference")}
        chosen = {name: value for name, value in given.items() if value}
        settings = chosen_settings(WatchSettings, arguments, **chosen)
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.watch.run import watch

        output: Path = arguments.output
        watch(settings, output / "findings.json", output / "report.html", output / "labelling")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m components.watch", description=__doc__)
    parser.add_argument("--payloads", default="", help="folder of the payload log, path or URI")
    parser.add_argument("--model", default="", help="model folder, path or URI")
    parser.add_argument("--reference", default="", help="its evaluation, path or URI")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder to write: findings, report, labelling"
    )
    add_settings_options(parser)
    return parser


if __name__ == "__main__":
    main()
