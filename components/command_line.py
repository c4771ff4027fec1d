"""Shared parts of all entry points: logging, commands and their options, errors as exits."""

import functools
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from components.data_files import read_mapping
from components.descriptions import described
from components.errors import InputError, StepError
from components.options import Settings, read_assignments, with_options
from components.progress import log_handler

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""How every command takes and shows `--help`."""
PATH = click.Path(path_type=Path, readable=False)
"""A path, of which whoever reads or writes it says what is wrong."""


def start_logging() -> None:
    """Send progress lines to standard error, and silence chatty libraries.

    Replaces the handlers of KFP's executor, which prefixes every line. A terminal also gets a bar
    (see `progress`). SIGTERM ends the step
    like an error, so that the servers it started are stopped as well.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    handlers = [log_handler(sys.stderr)]
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=handlers, force=True)
    for library in ("aiobotocore", "botocore", "datasets", "httpx", "httpx2"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # It warns of every request that it repeats; whoever asked says what became of it. Kubernetes'
    # client sets the level of urllib3 as a whole.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


class Command(click.Command):
    """A command whose `--help` ends with the settings that its `--set` takes, if there are any."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write them, with their meanings and defaults."""
        for option in self.params:
            if isinstance(option, _SetOption) and option.kind:
                with formatter.section("Settings (--set NAME=VALUE)"):
                    formatter.write_dl([(each.name, str(each)) for each in described(option.kind)])
        super().format_epilog(ctx, formatter)


def command(**options: Any) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command of the shell; its docstring is the command's help.

    Args:
        options: Further arguments of `click.command`.
    """
    return click.command(cls=Command, context_settings=HELP, **options)


def settings_options(kind: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--settings` and `--set`, and call the function with what is chosen by them.

    The function's argument `chosen` makes the settings: from its own keywords, which are defaults
    of the command, from the file, and from the assignments, which win. It raises InputError if the
    file cannot be read, a name is unknown, a value has the wrong type, or the settings refuse it.

    Args:
        kind: A settings dataclass.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @click.option("--settings", default="", metavar="FILE", help="YAML, path or URI.")
        @set_option(kind)
        @functools.wraps(function)
        def run(*, settings: str, assignments: Sequence[str], **given: Any) -> Any:
            chosen = functools.partial(_chosen_settings, kind, settings, assignments)
            return function(chosen=chosen, **given)

        return run

    return decorate


def set_option(kind: type | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--set` as the argument `assignments`, which `options.read_assignments` reads.

    Args:
        kind: The settings dataclass whose fields it sets, for help and completion.
    """
    return click.option(
        "--set",
        "assignments",
        cls=_SetOption,
        kind=kind,
        multiple=True,
        metavar="NAME=VALUE",
        help="May be repeated; wins over a file.",
    )


class _SetOption(click.Option):
    """`--set`, and the dataclass whose fields it sets."""

    def __init__(self, *names: Any, kind: type | None = None, **options: Any) -> None:
        super().__init__(*names, **options)
        self.kind = kind

    def shell_complete(self, _ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a name, with its default to change."""
        settings = described(self.kind) if self.kind else []
        return [
            CompletionItem(f"{each.name}={each.default}", help=each.text)
            for each in settings
            if each.name.startswith(incomplete)
        ]


def _chosen_settings(
    kind: type[Settings], file: str, assignments: Sequence[str], **defaults: Any
) -> Settings:
    content = read_mapping(file, "settings file") if file else {}
    types = {each.name: each.type for each in fields(kind)}  # type: ignore[arg-type]
    return with_options(kind, {**defaults, **content, **read_assignments(assignments, types)})


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
