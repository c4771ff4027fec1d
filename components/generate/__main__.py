"""The generate step from a shell: `python -m components.generate`."""

import argparse
import os
from pathlib import Path

from components import command_line
from components.data_files import read_mapping
from components.generate.run import generate
from components.generate.settings import GenerateSettings
from components.merge.settings import MergeSettings
from components.options import with_options


def main() -> None:
    """Let an LLM write labelled sentences; the key of a remote LLM is in LLM_API_KEY."""
    parser = argparse.ArgumentParser(prog="python -m components.generate", description=main.__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--merge-settings", default="", help="YAML file that names the real data for few_shot"
    )
    command_line.add_settings_options(parser)
    arguments = parser.parse_args()
    command_line.start_logging()
    with command_line.errors_as_exit("generate"):
        settings = command_line.chosen_settings(GenerateSettings, arguments)
        file = arguments.merge_settings
        choices = read_mapping(file, "settings file") if file else {}
        shared = {"task": settings.task, "seed": settings.seed}
        data = with_options(MergeSettings, {**shared, **choices})
        generate(settings, arguments.output, os.environ.get("LLM_API_KEY", ""), data)


if __name__ == "__main__":
    main()
