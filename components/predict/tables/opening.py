"""The table of a file, by the end of its name."""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from components import storage
from components.predict.tables.json_lines import JsonLines
from components.predict.tables.parquet_file import ParquetTable
from components.predict.tables.separated import Separated
from components.predict.tables.table import PACKED, Named, Table

_KINDS: Mapping[str, Callable[[Path, Named], Table]] = {
    ".parquet": ParquetTable,
    ".csv": Separated,
    ".tsv": Separated,
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
}
KINDS = tuple(_KINDS)
"""Ends of names that can be read."""


def ending_of(name: str) -> str:
    """The end of a name that tells how a file is read, such as `.csv.gz`; "" for another file."""
    suffixes = PurePosixPath(name.lower()).suffixes
    packed = suffixes.pop() if suffixes and suffixes[-1] in PACKED else ""
    kind = suffixes[-1] if suffixes else ""
    return kind + packed if kind in _KINDS and not (packed and kind == ".parquet") else ""


def open_table(path: Path, ending: str, named: Named) -> Table:
    """Look at the columns of a file.

    Args:
        path: The file.
        ending: What `ending_of` makes of its name.
        named: Its columns.

    Raises:
        InputError: If it cannot be read, lacks the column of texts, or has one that is added.
    """
    storage.require_no_pointer(path)
    return _KINDS[f".{ending.split('.')[1]}"](path, named)
