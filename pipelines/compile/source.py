"""What to compile, as a command line names it.

What this imports is light, so that a shell completes the options at once.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from components.command_line import PATH, set_option
from pipelines.parameter_sets import PARAMETER_SET

if TYPE_CHECKING:
    from pipelines.compile.settings import CompileSettings
    from pipelines.definitions import Definition

PIPELINES = ("emotion", "watch", "predict")
"""Names of the pipelines; the first one is the default."""


@dataclass(frozen=True)
class Source:
    """What to compile, as a command line names it."""

    pipeline: str
    params: Path | None
    assignments: Sequence[str]
    settings: Path | None
    lock: Path | None

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the pipeline is named."""
        return not (self.params or self.assignments or self.settings or self.lock)

    @property
    def definition(self) -> "Definition":
        """The pipeline."""
        from pipelines.definitions import DEFINITIONS

        return DEFINITIONS[self.pipeline]

    def read_settings(self) -> "CompileSettings":
        """Read the settings of the cluster, and the images.

        Raises:
            InputError: If one of the files is refused.
        """
        from pipelines.compile.settings import PLAIN, read_settings
        from pipelines.lock import read_lock

        settings = read_settings(self.settings) if self.settings else PLAIN
        return replace(settings, images=read_lock(self.lock)) if self.lock else settings


def source_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is compiled, as the argument `source`."""

    @click.option(
        "--pipeline",
        type=click.Choice(PIPELINES),
        default=PIPELINES[0],
        show_default=True,
        help="Which one.",
    )
    @click.option("--params", type=PARAMETER_SET, help="Parameter set: file, or name of one.")
    @set_option()
    @click.option("--settings", type=PATH, help="Settings of the cluster.")
    @click.option("--lock", type=PATH, help="Images by digest, written by `make lock`.")
    @functools.wraps(function)
    def run(
        *,
        pipeline: str,
        params: Path | None,
        assignments: Sequence[str],
        settings: Path | None,
        lock: Path | None,
        **given: Any,
    ) -> Any:
        return function(Source(pipeline, params, assignments, settings, lock), **given)

    return run
