"""The merge step from a shell: `python -m components.merge`."""

import argparse
from pathlib import Path

from components import command_line
from components.merge.run import merge
from components.merge.settings import MergeSettings


def main() -> None:
    """Join real and synthetic rows into train, validation and test splits."""
    parser = argparse.ArgumentParser(prog="python -m components.merge", description=main.__doc__)
    parser.add_argument("--output", type=Path, required=True, help="data set folder to write")
    parser.add_argument("--report", type=Path, help="HTML file to write")
    folders = "folders of the generate step"
    parser.add_argument("--synthetic", type=Path, nargs="*", default=[], help=folders)
    command_line.add_settings_options(parser)
    arguments = parser.parse_args()
    command_line.start_logging()
    with command_line.errors_as_exit("merge"):
        settings = command_line.chosen_settings(MergeSettings, arguments)
        merge(settings, arguments.synthetic, arguments.output, report=arguments.report)


if __name__ == "__main__":
    main()
