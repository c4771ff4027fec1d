"""The files to read: found, fetched one at a time, and looked at before work is spent."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from components import storage
from components.errors import InputError
from components.predict.tables.opening import KINDS, ending_of, open_table
from components.predict.tables.table import PACKED, Named, Table

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """A file of the input.

    Args:
        name: Its name below the input folder.
        rows: Number of its rows.
        sha256: Hash of its content.
    """

    name: str
    rows: int
    sha256: str


def names_of(place: str) -> list[str]:
    """List the files of rows in a folder, sorted; of a file, its own name.

    Raises:
        InputError: If there are none, or the place cannot be read.
    """
    sizes = storage.open_store(place).sizes()
    found = [name or storage.split(place)[1] for name in sizes]
    readable = sorted(name for name in found if ending_of(name) and not _is_hidden(name))
    if ignored := sorted(set(found) - set(readable)):
        _log.warning("predict: %d files are not read, first %s", len(ignored), ignored[0])
    if not readable:
        rule = "holds no rows" if found else "there is no such file or folder"
        kinds, packed = ", ".join(KINDS), ", ".join(PACKED)
        fix = f"Name a file or folder of {kinds}; text files may be packed ({packed})"
        raise InputError(f"input {place}", rule, fix)
    for name in readable:
        storage.require_inside(name, place)
    return readable


def look(place: str, name: str, named: Named) -> Source:
    """Look at the columns of a file, and at every row if it is a text file.

    Raises:
        InputError: If it cannot be read; it names the file and the line.
    """
    with opened(place, name, named) as (path, table):
        source = Source(name, table.count(), storage.sha256(path))
    _log.info("predict: %s has %s rows", name, f"{source.rows:,}")
    return source


@contextmanager
def opened(place: str, name: str, named: Named, sha256: str = "") -> Iterator[tuple[Path, Table]]:
    """Fetch a file of the input for the duration of a block, and look at its columns.

    Args:
        place: The input.
        name: One of `names_of`.
        named: Its columns.
        sha256: Hash that its content must have; empty for any.

    Raises:
        InputError: If it cannot be read, or has changed.
    """
    with TemporaryDirectory() as downloads:
        path = storage.fetch(_uri(place, name), Path(downloads))
        if sha256 and storage.sha256(path) != sha256:
            rule = "has changed since it was planned"
            fix = "Keep the input as it is, and plan anew into another output"
            raise InputError(f"{place}, {name}", rule, fix)
        try:
            yield path, open_table(path, ending_of(name), named)
        except InputError as error:
            # What is downloaded has the name of a folder that will be gone.
            thing = error.thing.replace(str(path), _uri(place, name))
            raise InputError(thing, error.rule, error.fix) from error


def _uri(place: str, name: str) -> str:
    folder = str(storage.local_path(place) or place).rstrip("/")
    is_file = PurePosixPath(folder).name == name and "" in storage.open_store(place).sizes()
    return folder if is_file else f"{folder}/{name}"


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in PurePosixPath(name).parts)
