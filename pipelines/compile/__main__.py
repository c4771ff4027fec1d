"""Compile the pipeline: `python -m pipelines.compile [--params FILE] [--settings FILE] ...`."""

from pathlib import Path

import click

from components.api_server import require_namespace
from components.command_line import PATH, command, errors_as_exit
from components.errors import InputError
from pipelines.compile.source import Source, source_options

_SUFFIXES = (".yaml", ".yml")
_BUILD = Path("build") / "pipelines"
_REPOSITORY = Path("pipelines") / "compiled"


@command()
@source_options
@click.option(
    "--kubernetes",
    metavar="NAMESPACE",
    default="",
    help="Write a Pipeline and a PipelineVersion for kubectl apply.",
)
@click.argument("output", type=PATH, required=False)
def main(source: Source, kubernetes: str, output: Path | None) -> None:
    """Compile a pipeline to what the KFP UI imports.

    OUTPUT is the file to write; without it and any option, the one that is kept in the repository.
    """
    with errors_as_exit("compile"):
        if output and output.suffix not in _SUFFIXES:
            fix = f"End its name in {' or '.join(_SUFFIXES)}"
            raise InputError(f"output {output}", "is not a YAML file", fix)
        if kubernetes:
            require_namespace(kubernetes)
        written = _compile(source, output, kubernetes)
    click.echo(written)


def _compile(source: Source, output: Path | None, kubernetes: str) -> Path:
    # Its imports take seconds, and wrong arguments should be reported at once.
    from pipelines.compile.compiler import compile_objects, compile_pipeline

    definition = source.definition
    if source.is_plain and not kubernetes:
        folder = _REPOSITORY if _REPOSITORY.is_dir() else _BUILD
        output = output or folder / definition.compiled.name
        compile_pipeline(output, definition=definition)
        return output
    settings = source.read_settings()
    values = definition.read(source.params, source.assignments, settings.parameters)
    output = output or _BUILD / (source.params or definition.compiled).name
    if kubernetes:
        compile_objects(output, settings, definition.pin(values), kubernetes, definition)
    else:
        compile_pipeline(output, settings, definition.pin(values), definition)
    return output


if __name__ == "__main__":
    main()
