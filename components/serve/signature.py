"""Check the signature of a model folder.

The predictor does so in a process of its own before it loads the model: what that needs, 60 MB of
modules, is gone when requests come.
"""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import click

from components.artifacts.signatures import Trust, verify
from components.command_line import PATH, command, errors_as_exit
from components.serve.settings import ServeSettings


def require_signature(settings: ServeSettings) -> None:
    """End this process with status 1 if the model folder is not signed as the settings demand.

    The other process has said why, unless something else has ended it.
    """
    trust = settings.trust
    if not trust.demands:
        return
    options = [f"--{name.replace('_', '-')}={value}" for name, value in asdict(trust).items()]
    words = [sys.executable, "-m", "components.serve.signature", *options]
    words += ["--", str(settings.model_dir)]
    status = subprocess.run(words, check=False).returncode  # noqa: S603 (a module of our own)
    if status:
        sys.exit(1 if status == 1 else f"serve: the check of the signature ended with {status}")


@command()
@click.argument("folder", type=PATH)
@click.option("--public-key", default="", help="As for the predictor.")
@click.option("--signer-identity", default="", help="As for the predictor.")
@click.option("--signer-issuer", default="", help="As for the predictor.")
def main(folder: Path, **demands: str) -> None:
    """Check a model folder; one that is not signed as it must be ends the process with status 1."""
    with errors_as_exit("serve"):
        verify(folder, Trust(**demands))


if __name__ == "__main__":
    main()
