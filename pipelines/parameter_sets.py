"""Parameter sets on a command line: files, or those that are shipped, by name."""

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

_SETS = Path(__file__).parent / "params"


class ParameterSet(click.ParamType[Path]):
    """A file of pipeline parameters: a path, or the name of a set that is shipped."""

    name = "set"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Find the file; whoever reads it says what is wrong with a path."""
        path, names = Path(value), self._names()
        if value in names and not path.is_file():
            return _SETS / f"{value}.yaml"
        is_word = path.name == str(value) and not path.suffix
        if is_word and not (value and _is_there(path)):
            self.fail(f"{value!r} is no file. Use {', '.join(names)}, or a path", param, ctx)
        return path

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


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # A name that is too long
        return False


PARAMETER_SET = ParameterSet()
