"""The generate step from a shell: `python -m components.generate`."""

import os
from collections.abc import Callable
from pathlib import Path

import click

from components.command_line import PATH, command, errors_as_exit, settings_options, start_logging
from components.data_files import read_mapping
from components.generate.settings import GenerateSettings
from components.merge.settings import MergeSettings
from components.options import with_options


@command()
@click.option("--output", type=PATH, required=True, help="Folder to write.")
@click.option(
    "--merge-settings",
    default="",
    metavar="FILE",
    help="YAML that names the real data for few_shot, path or URI.",
)
@settings_options(GenerateSettings)
def main(chosen: Callable[..., GenerateSettings], output: Path, merge_settings: str) -> None:
    """Let an LLM write labelled sentences.

    The key of a remote LLM is in LLM_API_KEY.
    """
    start_logging()
    with errors_as_exit("generate"):
        settings = chosen()
        choices = read_mapping(merge_settings, "settings file") if merge_settings else {}
        shared = {"task": settings.task, "seed": settings.seed}
        data = with_options(MergeSettings, {**shared, **choices})
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.generate.run import generate

        generate(settings, output, os.environ.get("LLM_API_KEY", ""), data)


if __name__ == "__main__":
    main()
