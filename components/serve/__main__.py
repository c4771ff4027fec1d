"""Serve a model folder over HTTP and gRPC."""

import dataclasses
import json
import logging
import os
import sys
import typing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from click.core import ParameterSource

from components.artifacts.model.bundle import verify
from components.command_line import HELP, PATH, Command, errors_as_exit
from components.descriptions import described
from components.errors import InputError
from components.serve.settings import ServeSettings
from components.serve.signature import require_signature


class _SettingsAsOptions(Command):
    """A command with an option per setting, which its docstring explains."""

    def get_help(self, ctx: click.Context) -> str:
        """Read the docstrings, which nobody needs to serve."""
        texts = {each.name: each.text for each in described(ServeSettings)}
        for option in self.params:
            if isinstance(option, click.Option) and option.name in texts:
                option.help = texts[option.name]
        return super().get_help(ctx)


def _options(function: Callable[..., None]) -> Callable[..., None]:
    types = typing.get_type_hints(ServeSettings)
    for field in reversed(dataclasses.fields(ServeSettings)):
        name, kind = field.name.replace("_", "-"), types[field.name]
        if kind is Path:
            add = click.option(f"--{name}", type=PATH, required=True)
        else:
            option = f"--{name}/--no-{name}" if kind is bool else f"--{name}"
            shown = field.default != ""
            add = click.option(option, type=kind, default=field.default, show_default=shown)
        function = add(function)
    return function


@click.command(cls=_SettingsAsOptions, context_settings=HELP)
@_options
def main(**settings: typing.Any) -> None:
    """Serve a model folder over HTTP and gRPC."""
    # Nothing comes from the hub, and texts are already tokenised in threads.
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    _start_logging()
    with errors_as_exit("serve"):
        _require_key(click.get_current_context())
        chosen = ServeSettings(**settings)
        require_signature(chosen)
        # The files are hashed while what serves them is imported.
        with ThreadPoolExecutor() as pool:
            model = pool.submit(verify, chosen.model_dir)
            from components.serve.predictor import Predictor
            from components.serve.server import serve
        serve(Predictor(chosen, model.result()))


def _require_key(context: click.Context) -> None:
    """Refuse a key that is given and empty, as by a variable that is not set."""
    for name in ("public_key", "signer_identity"):
        source = context.get_parameter_source(name)
        if source is ParameterSource.COMMANDLINE and not context.params[name].strip():
            rule = "is empty, so that models without a signature would be served"
            fix = "Give the key or identity, or leave the option out to trust any model"
            raise InputError(f"--{name.replace('_', '-')}", rule, fix)


class _JsonLines(logging.Formatter):
    """A log line as a JSON object, with the facts of the record among its keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Format the line."""
        line = {"time": self.formatTime(record), "level": record.levelname}
        line |= {"message": record.getMessage(), **getattr(record, "facts", {})}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _start_logging() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for library in ("httpx", "httpx2", "uvicorn"):
        logging.getLogger(library).setLevel(logging.ERROR)


if __name__ == "__main__":
    main()
