"""Serve a model folder over HTTP: `python -m components.serve --model-dir DIR`."""

import argparse
import sys
from pathlib import Path

from components.checks import InputError
from components.serve.classifier import Classifier
from components.serve.settings import ServeSettings


def main() -> None:
    """Serve the model; a model that cannot be served ends the process with status 1."""
    arguments = vars(_parser().parse_args())
    try:
        settings = ServeSettings(**arguments)
        classifier = Classifier(settings.model_dir, settings.threads)
        # kserve takes seconds to import, and a bad model should be told of at once.
        from components.serve.server import serve

        serve(classifier, settings)
    except InputError as error:
        sys.exit(f"serve: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m components.serve", description=__doc__)
    parser.add_argument("--model-dir", type=Path, required=True, help="model folder")
    parser.add_argument("--model-name", default=ServeSettings.model_name, help="name in the URLs")
    parser.add_argument("--host", default=ServeSettings.host, help="address to listen on")
    parser.add_argument("--http-port", type=int, default=ServeSettings.http_port)
    parser.add_argument(
        "--threads", type=int, default=ServeSettings.threads, help="threads of an inference"
    )
    return parser


if __name__ == "__main__":
    main()
