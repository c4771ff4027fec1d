"""Tables of values between separators (RFC 4180), read so that no row is guessed.

The separator is the one that parts the header into the columns that are asked for. Quotes are
taken strictly: pandas, like most readers, lets a lone quote swallow the rows up to the next one.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import pandas as pd

from components.errors import InputError

_SEPARATORS = (",", ";", "\t", "|")
_HEAD = 100
_QUOTE = 'Put a text with quotes in it between quotes, and double its own: "She said ""no"" again"'


class MissingColumnError(InputError):
    """A table lacks the column of texts or of labels."""


@dataclass(frozen=True, slots=True)
class _Record:
    """The cells of a row, and the number of the line that it starts in."""

    cells: list[str]
    line: int


def read_separated(text: str, where: str, named: Sequence[str]) -> pd.DataFrame:
    """Read a table; its cells stay texts, and absent ones at the end of a row are None.

    Args:
        text: The table.
        where: Names it in errors.
        named: The columns of texts and of labels: names of the header, or numbers from 1 in a table
            without one.

    Raises:
        InputError: If a column is missing, a row has too many cells, or a quote is not closed where
            its text ends.
    """
    # The csv module has this limit for the whole process, 131,072 characters at first.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    separator, has_header = _form(text, where, named)
    records = _read(text, separator, where)
    header = records[0].cells if has_header else _numbers(len(records[0].cells))
    rows = records[1:] if has_header else records
    for row in rows:
        if any(each.strip() for each in row.cells[len(header) :]):
            rule = f"has {len(row.cells)} values, more fields than its header ({len(header)})"
            fix = f"Quote texts with {separator!r} in them"
            raise InputError(f"{where}, line {row.line}", rule, fix)
    _require_none_swallowed(rows, header.index(named[1]), len(header), separator, where)
    places = [header.index(each) for each in named]
    cells = [
        [row.cells[each] if each < len(row.cells) else None for each in places] for row in rows
    ]
    return pd.DataFrame(cells, columns=pd.Index(list(named)), dtype=object)


def require_columns(found: Sequence[str], named: Sequence[str], where: str) -> None:
    """Refuse a table that has not exactly one column of each name.

    Raises:
        MissingColumnError: If one is missing.
        InputError: If one is there twice.
    """
    if missing := sorted(set(named) - set(found)):
        rule = f"lacks the column {', '.join(missing)} (it has {_listed(found)})"
        fix = "Name its columns with text_column and label_column"
        if not set(named) & set(found):
            fix += ", or number them, from 1, if it has no header"
        raise MissingColumnError(where, rule, fix)
    if twice := sorted(name for name in set(named) if list(found).count(name) > 1):
        rule = f"has the column {', '.join(twice)} twice (it has {_listed(found)})"
        raise InputError(where, rule, "Remove or rename the other one")


def _form(text: str, where: str, named: Sequence[str]) -> tuple[str, bool]:
    """The separator, and whether the first row is a header."""
    heads = {each: _head(text, each) for each in _SEPARATORS}
    for separator, head in heads.items():
        if head and set(named) <= set(head[0]):
            require_columns(head[0], named, where)
            return separator, True
    if all(name.isdecimal() and int(name) > 0 for name in named):
        widths = {each: {len(row) for row in head} for each, head in heads.items()}
        fitting = [
            each
            for each, width in widths.items()
            if len(width) == 1 and min(width) >= max(map(int, named))
        ]
        if len(fitting) == 1:
            return fitting[0], False
    if not any(heads.values()):
        raise InputError(where, "is empty: No columns", "Add a header and rows")
    require_columns(max((head[0] for head in heads.values() if head), key=len), named, where)
    raise InputError(where, "has no separator that can be told", "Add a header with the columns")


def _head(text: str, separator: str) -> list[list[str]]:
    """The first rows, up to one with a fault."""
    found: list[list[str]] = []
    with suppress(InputError):
        found.extend(record.cells for record in islice(_records(text, separator, ""), _HEAD))
        return found
    if separator == "\t":
        return [record.cells for record in islice(_unquoted(text), _HEAD)]
    return found


def _read(text: str, separator: str, where: str) -> list[_Record]:
    try:
        return list(_records(text, separator, where))
    except InputError:
        records = list(_unquoted(text)) if separator == "\t" else []
        escaped = any(
            cell.startswith('"') and '\\"' in cell for each in records for cell in each.cells
        )
        if escaped or len({len(each.cells) for each in records}) != 1:
            raise
        return records


def _unquoted(text: str) -> Iterator[_Record]:
    """The rows of a table in which quotes mean nothing, as in many that are parted by tabs."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    return (_Record(cells, reader.line_num) for cells in reader if cells)


def _records(text: str, separator: str, where: str) -> Iterator[_Record]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    start = 1
    try:
        for cells in reader:
            if cells:
                yield _Record(cells, start)
            start = reader.line_num + 1
    except csv.Error as error:
        escaped = "; it seems to escape quotes by backslashes" if '\\"' in text else ""
        rule = f"has a quote that is not closed at the end of its text ({error}){escaped}"
        raise InputError(f"{where}, line {start}", rule, _QUOTE) from error


def _require_none_swallowed(
    rows: Sequence[_Record], label: int, width: int, separator: str, where: str
) -> None:
    """Refuse a row over several lines that have the form of rows, with a known label twice.

    Between two lone quotes at the start and at the end of a text, everything is one text.
    """
    labels = {row.cells[label].strip() for row in rows if len(row.cells) > label} - {""}
    for row in rows:
        if not any("\n" in cell or "\r" in cell for cell in row.cells):
            continue
        lines = list(filter(None, separator.join(row.cells).splitlines()))
        parts = list(csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE))
        if any(len(each) != width for each in parts):
            continue
        # One label is the row's own; the others may occur in no other row.
        if sum(each[label].strip() in labels for each in parts) > 1:
            rule = f"has a text over several lines, each of which is a row: {lines[0]!r:.80}"
            raise InputError(f"{where}, line {row.line}", rule, f"Close its quotes. {_QUOTE}")


def _numbers(count: int) -> list[str]:
    return [str(number) for number in range(1, count + 1)]


def _listed(found: Sequence[str]) -> str:
    names = [f"{name:.40}" for name in found]
    return str(names[:20]) if len(names) <= 20 else f"{names[:20]} and {len(names) - 20} more"
