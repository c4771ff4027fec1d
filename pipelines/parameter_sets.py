"""Parameter sets on a command line: files, or those that are shipped, by name."""

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

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
        # bash offers files if no name fits, and forgets the names that come before.
        return [CompletionItem(incomplete, type="file"), *names]

    @staticmethod
    def _names() -> list[str]:
        return sorted(path.stem for path in _SETS.glob("*.yaml"))


PARAMETER_SET = ParameterSet()
