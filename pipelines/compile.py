"""Compiles the pipeline: `python -m pipelines.compile [--params FILE] [--settings FILE] ...`."""

import argparse
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfp import compiler

from components.checks import InputError
from pipelines.emotion import emotion_for
from pipelines.images import read_lock
from pipelines.parameters import read_parameters
from pipelines.pins import pinned
from pipelines.settings import PLAIN, CompileSettings, read_settings

COMPILED = Path(__file__).parent / "compiled" / "emotion.yaml"
_BUILD = Path("build") / "pipelines"


def compile_pipeline(
    output: Path,
    settings: CompileSettings = PLAIN,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Write the YAML that the KFP UI imports.

    Args:
        output: The file.
        settings: What the cluster asks for.
        parameters: Values that the UI's form shows; without them the defaults of the pipeline.

    Raises:
        InputError: If the settings have an image lock that lacks an image.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    compiler.Compiler().compile(
        emotion_for(settings), package_path=str(output), pipeline_parameters=parameters
    )


def settings_from(arguments: argparse.Namespace) -> CompileSettings:
    """The compile settings that a command line names: `--settings` and `--lock`.

    Raises:
        InputError: If one of the files is refused.
    """
    settings = read_settings(arguments.settings) if arguments.settings else PLAIN
    return replace(settings, images=read_lock(arguments.lock)) if arguments.lock else settings


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is compiled."""
    parser.add_argument("--params", type=Path, help="parameter set")
    parser.add_argument("--set", default="", help="overrides, `name=value name=value`")
    parser.add_argument("--settings", type=Path, help="what the cluster asks for")
    parser.add_argument("--lock", type=Path, help="images by digest, written by `make lock`")


def main() -> None:
    """Compile to a file, by default the one that is kept in the repository."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    add_options(parser)
    parser.add_argument("output", type=Path, nargs="?")
    arguments = parser.parse_args()
    try:
        output = _compile(arguments)
    except InputError as error:
        sys.exit(f"compile: {error}")
    sys.stdout.write(f"{output}\n")


def _compile(arguments: argparse.Namespace) -> Path:
    plain = not (arguments.params or arguments.set or arguments.settings or arguments.lock)
    if plain:
        output = arguments.output or COMPILED
        compile_pipeline(output)
        return output
    settings = settings_from(arguments)
    values = read_parameters(arguments.params, shlex.split(arguments.set), settings.parameters)
    name = arguments.params.name if arguments.params else COMPILED.name
    output = arguments.output or _BUILD / name
    compile_pipeline(output, settings, pinned(values))
    return output


if __name__ == "__main__":
    main()
