"""Compile the pipeline: `python -m pipelines.compile [--params FILE] [--settings FILE] ...`."""

import argparse
import sys
from pathlib import Path

from components.api_server import require_namespace
from components.command_line import errors_as_exit
from components.errors import InputError
from pipelines.compile.compiler import (
    add_options,
    compile_objects,
    compile_pipeline,
    settings_from,
)
from pipelines.definitions import DEFINITIONS

_SUFFIXES = (".yaml", ".yml")
_BUILD = Path("build") / "pipelines"


def main() -> None:
    """Compile to a file, by default the one that is kept in the repository."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    add_options(parser)
    parser.add_argument(
        "--kubernetes",
        metavar="NAMESPACE",
        default="",
        help="write a Pipeline and a PipelineVersion for kubectl apply",
    )
    parser.add_argument("output", type=Path, nargs="?")
    arguments = parser.parse_args()
    with errors_as_exit("compile"):
        output = _compile(arguments)
    sys.stdout.write(f"{output}\n")


def _compile(arguments: argparse.Namespace) -> Path:
    if arguments.output and arguments.output.suffix not in _SUFFIXES:
        fix = f"End its name in {' or '.join(_SUFFIXES)}"
        raise InputError(f"output {arguments.output}", "is not a YAML file", fix)
    if arguments.kubernetes:
        require_namespace(arguments.kubernetes)
    definition = DEFINITIONS[arguments.pipeline]
    plain = not (arguments.params or arguments.set or arguments.settings or arguments.lock)
    if plain and not arguments.kubernetes:
        output = arguments.output or definition.compiled
        compile_pipeline(output, definition=definition)
        return output
    settings = settings_from(arguments)
    values = definition.read(arguments.params, arguments.set, settings.parameters)
    name = arguments.params.name if arguments.params else definition.compiled.name
    output = arguments.output or _BUILD / name
    if arguments.kubernetes:
        compile_objects(output, settings, definition.pin(values), arguments.kubernetes, definition)
    else:
        compile_pipeline(output, settings, definition.pin(values), definition)
    return output


if __name__ == "__main__":
    main()
