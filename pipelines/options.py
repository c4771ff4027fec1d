"""Shared parts of the pipelines' commands: parameter sets, and what to compile.

What this imports is light, so that a shell completes its options at once.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from components.command_line import PATH, set_option

if TYPE_CHECKING:
    from pipelines.compile.settings import CompileSettings
    from pipelines.definitions import Definition

PIPELINES = ("emotion", "watch")
"""Names of the pipelines; the first one is the default."""
_SETS = Path(__file__).parent / "params"


class ParameterSet(click.ParamType[Path]):
    """A file of pipeline parameters: a path, or the name of a set that is shipped."""

    name = "set"

    def convert(
        self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None
    ) -> Path:
        """Find the file; whoever reads it says what is wrong with a path."""
        path = Path(value)
        is_shipped = value in self._names() and not path.is_file()
        return _SETS / f"{value}.yaml" if is_shipped else path

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete a shipped set by its name, or any file."""
        names = [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]
        return [*names, CompletionItem(incomplete, type="file")]

    @staticmethod
    def _names() -> list[str]:
        return sorted(path.stem for path in _SETS.glob("*.yaml"))


PARAMETER_SET = ParameterSet()


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
        "--pipeline", type=click.Choice(PIPELINES), default=PIPELINES[0], show_default=True
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
