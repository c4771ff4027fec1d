"""Serve a model folder over HTTP and gRPC."""

import argparse
import dataclasses
import json
import logging
import os
import sys
import typing
from pathlib import Path

from components.command_line import errors_as_exit
from components.serve.settings import ServeSettings
from components.serve.signature import require_signature


def main() -> None:
    """Serve the model; an error before that ends the process with status 1 and its message."""
    arguments = vars(_parser().parse_args())
    # Nothing comes from the hub, and texts are already tokenised in threads.
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    _start_logging()
    with errors_as_exit("serve"):
        settings = ServeSettings(**arguments)
        require_signature(settings)
        from components.serve.predictor import Predictor
        from components.serve.server import serve

        serve(Predictor(settings))


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


def _parser() -> argparse.ArgumentParser:
    """Build a parser with an option per setting; ServeSettings documents them."""
    parser = argparse.ArgumentParser(prog="python -m components.serve", description=__doc__)
    types = typing.get_type_hints(ServeSettings)
    for field in dataclasses.fields(ServeSettings):
        option, kind = f"--{field.name.replace('_', '-')}", types[field.name]
        if kind is Path:
            parser.add_argument(option, type=Path, required=True, help="model folder")
        elif kind is bool:
            action = argparse.BooleanOptionalAction
            parser.add_argument(option, action=action, default=field.default)
        else:
            shown = f"default: {field.default!r}"
            parser.add_argument(option, type=kind, default=field.default, help=shown)
    return parser


if __name__ == "__main__":
    main()
