"""Files of labelled rows as tables: separated values, JSON, JSON lines, Parquet, also packed."""

import bz2
import gzip
import io
import json
import lzma
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
from pyarrow import parquet

from components import storage
from components.errors import InputError
from components.merge.reading.labels import names_in, with_names
from components.merge.reading.separated import read_separated, require_columns

NAMED = ("text", "label")
"""The usual columns of texts and of labels."""

_BROKEN = (
    *(ValueError, OSError, EOFError, RecursionError),
    *(pyarrow.ArrowException, lzma.LZMAError, zlib.error),
)
"""What the readers raise at a file that is not of its kind."""
_OPENERS: Mapping[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
MOST_BYTES = 2 * 2**30
"""Most bytes of rows, unpacked: they are held in memory, where they take several times as much."""
_CHUNK_BYTES = 2**20
_SEPARATORS, _FEW_BYTES, _FIRST_LINES, _MOST = ";\t|,", 2**16, 20, 0.8


def read_file(path: Path, named: Sequence[str] = NAMED, place: str = "") -> pd.DataFrame:
    """Read the rows of a file.

    Args:
        path: The file; the end of its name tells its kind, after the one of its compression.
        named: The columns of texts and of labels.
        place: Name of the file in the column `place`; its own if not given.

    Returns:
        What `chosen` returns.

    Raises:
        InputError: If the file is not of the kind that its name says, or lacks a column.
    """
    reader = _READERS.get(kind_of(path))
    if reader is None:
        rule, fix = "is of a kind that cannot be read", f"Use one of: {', '.join(_READERS)}"
        raise InputError(str(path), rule, fix)
    try:
        content = _content(path)
        frame = reader(content, str(path), named)
        names = _names_in(content, named[1]) if kind_of(path) == ".parquet" else ()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        rule = f"is not UTF-8 ({error.reason})"
        raise InputError(f"{path}, line {line}", rule, "Save it as UTF-8") from error
    except InputError:
        raise
    except _BROKEN as error:
        rule = f"is not readable as {kind_of(path)}: {error}"
        raise InputError(str(path), rule, "Correct the file or its name") from error
    return chosen(frame, named, place or path.name, names)


def chosen(
    frame: pd.DataFrame, named: Sequence[str], where: str, names: Sequence[str] = ()
) -> pd.DataFrame:
    """Take the columns of texts and labels.

    Args:
        frame: A table.
        named: Its columns of texts and labels.
        where: Its name.
        names: What it calls its labels, in the order of their ids; none if it does not say.

    Returns:
        Columns `text`, `given` (the label as it is), `label` (by name, if it has one) and `place`
        (the name of the table, and the row from 1).

    Raises:
        InputError: If one is missing, or is there twice.
    """
    require_columns([str(each) for each in frame.columns], named, where)
    places = [f"{where}, row {row}" for row in range(1, len(frame) + 1)]
    given = frame[named[1]].astype(object)
    label = with_names(given, names) if names else given
    return pd.DataFrame({"text": frame[named[0]], "given": given, "label": label, "place": places})


def kind_of(path: Path) -> str:
    """The end of a file's name that tells its kind, without that of its compression."""
    suffixes = [each.lower() for each in path.suffixes]
    return next((each for each in reversed(suffixes) if each not in _OPENERS), "")


def is_readable(path: Path) -> bool:
    """Check whether the end of a file's name is one that `read_file` knows."""
    return kind_of(path) in _READERS


def holds_no_rows(path: Path) -> bool:
    """Check for a JSON file that describes something else: it is no list of objects."""
    if kind_of(path) != ".json":
        return False
    try:
        content = json.loads(_text(_content(path)))
    except (InputError, *_BROKEN):
        return False
    return not isinstance(content, list) or not any(isinstance(row, dict) for row in content)


def has_columns(path: Path) -> bool:
    """Check by its first lines whether a text file is a table: most have the same separator."""
    storage.require_no_pointer(path)
    try:
        with _OPENERS.get(path.suffix.lower(), open)(path, "rb") as file:
            start = file.read(_FEW_BYTES).decode("utf-8-sig", "replace")
    except _BROKEN:
        return True
    lines = [line for line in start.splitlines() if line.strip()][:_FIRST_LINES]
    return any(
        sum(separator in line for line in lines) >= _MOST * len(lines) > 0
        for separator in _SEPARATORS
    )


def too_large(name: str) -> InputError:
    """The error for more rows than are held in memory."""
    rule = f"holds more than {MOST_BYTES / 2**30:g} GiB of rows, the most that are read into memory"
    return InputError(name, rule, "Give a part of it, such as rows drawn at random")


def _content(path: Path) -> bytes:
    storage.require_no_pointer(path)
    if path.stat().st_size > MOST_BYTES:
        raise too_large(str(path))
    if path.suffix.lower() not in _OPENERS:
        return path.read_bytes()
    content = io.BytesIO()
    with _OPENERS[path.suffix.lower()](path, "rb") as file:
        # A read of many bytes takes their memory before there are any.
        while chunk := file.read(_CHUNK_BYTES):
            content.write(chunk)
            if content.tell() > MOST_BYTES:
                raise too_large(str(path))
    return content.getvalue()


def _read_separated(content: bytes, where: str, named: Sequence[str]) -> pd.DataFrame:
    return read_separated(_text(content), where, named)


def _read_json_lines(content: bytes, *_: object) -> pd.DataFrame:
    lines = enumerate(_text(content).split("\n"), start=1)
    return _records([_parsed(line, number) for number, line in lines if line.strip()])


def _read_json(content: bytes, *_: object) -> pd.DataFrame:
    try:
        rows = json.loads(_text(content))
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
        # Many tools write JSON lines under this name.
        return _read_json_lines(content)
    return _records(rows)


def _records(rows: Any) -> pd.DataFrame:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it must hold one object per row")
    return pd.DataFrame(rows)


def _parsed(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig")


def _read_parquet(content: bytes, where: str, named: Sequence[str]) -> pd.DataFrame:
    require_columns(parquet.read_schema(pyarrow.BufferReader(content)).names, named, where)
    table = parquet.read_table(
        pyarrow.BufferReader(content), columns=list(named), use_threads=False
    )
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _names_in(content: bytes, label: str) -> Sequence[str]:
    """The names of labels, by their ids, that `datasets` has put into a Parquet file."""
    schema = parquet.read_schema(pyarrow.BufferReader(content))
    if b"huggingface" not in (schema.metadata or {}):
        return ()
    import datasets

    return names_in(datasets.Features.from_arrow_schema(schema), label)


_READERS: Mapping[str, Callable[[bytes, str, Sequence[str]], pd.DataFrame]] = {
    ".csv": _read_separated,
    ".tsv": _read_separated,
    ".txt": _read_separated,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".json": _read_json,
    ".parquet": _read_parquet,
}
