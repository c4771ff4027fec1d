"""Check the signature of a model folder.

The predictor does so in a process of its own before it loads the model: what that needs, 60 MB of
modules, is gone when requests come.
"""

import argparse
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path

from components.artifacts.signatures import Trust, verify
from components.command_line import errors_as_exit
from components.serve.settings import ServeSettings


def require_signature(settings: ServeSettings) -> None:
    """End this process with status 1 if the model folder is not signed as the settings demand.

    The other process has said why, unless something else has ended it.
    """
    trust = settings.trust
    if not trust.demands:
        return
    options = [f"{_option(name)}={value}" for name, value in asdict(trust).items()]
    command = [
        sys.executable,
        "-m",
        "components.serve.signature",
        str(settings.model_dir),
        *options,
    ]
    status = subprocess.run(command, check=False).returncode  # noqa: S603 (a module of our own)
    if status:
        sys.exit(1 if status == 1 else f"serve: the check of the signature ended with {status}")


def main() -> None:
    """Check a folder; one that is not signed as it must be ends the process with status 1."""
    parser = argparse.ArgumentParser(
        prog="python -m components.serve.signature", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="model folder")
    for each in fields(Trust):
        parser.add_argument(_option(each.name), default="", help="as for the predictor")
    arguments = vars(parser.parse_args())
    with errors_as_exit("serve"):
        verify(arguments.pop("folder"), Trust(**arguments))


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


if __name__ == "__main__":
    main()
