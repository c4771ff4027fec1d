"""What every kind of file can do, and windows of rows, which bound the memory."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from components.errors import InputError
from components.predict.columns import Columns, Scores

WINDOW_ROWS = 8192
"""Rows that are scored together: enough for full batches of texts of one width."""
_WINDOW_CHARACTERS = 16 * 2**20
"""A window of longer rows ends earlier."""
_OPENERS: Mapping[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
PACKED = tuple(_OPENERS)
"""Ends of the names of packed text files."""


@dataclass(frozen=True)
class Window:
    """Rows that follow each other.

    Args:
        start: Place of the first one in its file, from 0.
        texts: Cells of the column of texts.
        rows: The rows as their table writes them.
    """

    start: int
    texts: Sequence[object]
    rows: Any


Write = Callable[[Window, Scores], None]
"""Writes rows with what the model says of them."""


class Table(Protocol):
    """A file of rows, whose columns have been looked at.

    Raises:
        InputError: If it cannot be read, lacks the column of texts, or has one that is added.
    """

    def count(self) -> int:
        """Number of its rows; those of a text file are all looked at."""

    def windows(self, start: int, stop: int, cut: int) -> Iterator[Window]:
        """Read rows from `start` to before `stop`; no window reaches over a multiple of `cut`."""

    def writing(self, target: Path) -> AbstractContextManager[Write]:
        """Write another file of the same kind: its own columns, and those that are added."""


@dataclass(frozen=True)
class Named:
    """Which columns a table must have, and which it may not have.

    Args:
        text: Column of the texts.
        added: Columns that are added.
    """

    text: str
    added: Columns

    def require(self, found: Iterable[str], where: str) -> None:
        """Refuse a table by its columns.

        Raises:
            InputError: If the column of texts is missing, or another is there twice or is added.
        """
        names = list(found)
        if self.text not in names:
            rule = f"has no column {self.text!r} (it has {', '.join(names)[:200]})"
            raise InputError(where, rule, "Name the column of the texts with text_column")
        self.refuse_added(names, where)

    def refuse_added(self, found: Iterable[str], where: str) -> None:
        """Refuse names of columns that are added.

        Raises:
            InputError: If there is one.
        """
        if taken := sorted(set(found) & set(self.added.names)):
            rule = f"has {', '.join(taken)}, as columns that are added would be called"
            raise InputError(where, rule, "Set prefix, with which the names of those begin")


def windowed(rows: Iterable[tuple[Any, object, int]], start: int, cut: int) -> Iterator[Window]:
    """Group rows into windows.

    Args:
        rows: Each row with its text and its characters, the first one at `start`.
        start: Place of the first row in its file.
        cut: No window reaches over a multiple of it.
    """
    kept: list[Any] = []
    texts: list[object] = []
    size = 0
    for place, (row, text, characters) in enumerate(rows, start=start):
        kept.append(row)
        texts.append(text)
        size += characters
        is_full = len(kept) == WINDOW_ROWS or size >= _WINDOW_CHARACTERS
        if is_full or (place + 1) % cut == 0:
            yield Window(place + 1 - len(kept), texts, kept)
            kept, texts, size = [], [], 0
    if kept:
        yield Window(place + 1 - len(kept), texts, kept)


@contextmanager
def reading(path: Path) -> Iterator[IO[str]]:
    """Open a text file, packed or not; what is wrong with its content is an InputError."""
    try:
        with _opener(path)(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        rule = f"is not UTF-8 ({error.reason})"
        raise InputError(str(path), rule, "Save it as UTF-8") from error
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        rule = f"is not packed as its name says, or cut off ({error})"
        raise InputError(str(path), rule, "Correct the file or its name") from error


def create(path: Path) -> IO[str]:
    """Open a text file to write, packed as its name says.

    Half a surrogate pair is written as the escape that it is in JSON.
    """
    file: IO[str] = _opener(path)(
        path, "wt", encoding="utf-8", errors="backslashreplace", newline=""
    )
    return file


def _opener(path: Path) -> Callable[..., Any]:
    return _OPENERS.get(path.suffix.lower(), open)
