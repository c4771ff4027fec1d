"""Shared parts of all entry points: logging, options for settings, errors as exits."""

import argparse
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from components.data_files import read_mapping
from components.errors import InputError, StepError
from components.options import Settings, read_assignments, with_options


def start_logging() -> None:
    """Send progress lines to standard error, and silence chatty libraries.

    Replaces the handlers of KFP's executor, which prefixes every line. SIGTERM ends the step
    like an error, so that the servers it started are stopped as well.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    for library in ("aiobotocore", "botocore", "datasets", "httpx", "httpx2"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # It warns of every request that it repeats; whoever asked says what became of it. Kubernetes'
    # client sets the level of urllib3 as a whole.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


def add_settings_options(parser: argparse.ArgumentParser) -> None:
    """Add `--settings` and `--set`, which `chosen_settings` reads."""
    parser.add_argument("--settings", default="", help="YAML file of settings, path or URI")
    add_set_option(parser)


def add_set_option(parser: argparse.ArgumentParser) -> None:
    """Add `--set`, which `components.options.read_assignments` reads."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="may be repeated"
    )


def chosen_settings(
    kind: type[Settings], arguments: argparse.Namespace, **defaults: Any
) -> Settings:
    """Settings by the names of their fields, from a file and from assignments, which win.

    Args:
        kind: A settings dataclass.
        arguments: Has what `add_settings_options` has added.
        defaults: Defaults of the command that differ from those of the dataclass.

    Raises:
        InputError: If the file cannot be read, a name is unknown, a value has the wrong type, or
            the settings refuse it.
    """
    file = read_mapping(arguments.settings, "settings file") if arguments.settings else {}
    types = {each.name: each.type for each in fields(kind)}  # type: ignore[arg-type]
    return with_options(kind, {**defaults, **file, **read_assignments(arguments.set, types)})


@contextmanager
def errors_as_exit(command: str) -> Iterator[None]:
    """End the process with status 1 and one line if the block raises a `StepError`.

    So does a file that cannot be read or written, which any of a command's paths may name.
    """
    try:
        yield
    except StepError as error:
        sys.exit(f"{command}: {error}")
    except OSError as error:
        if error.filename is None:
            raise
        rule, fix = f"cannot be used ({error.strerror})", "Check the path and the account's rights"
        sys.exit(f"{command}: {InputError(str(error.filename), rule, fix)}")
