"""Tables of texts in an answer that is no JSON: Markdown's, and lines with separators (CSV)."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from components.generate.answers.asides import is_phrase
from components.generate.answers.bare_quotes import unquoted
from components.generate.answers.field_names import is_text_name, plain_name
from components.generate.answers.frame import Body, is_frame
from components.texts import words_of

_RULE = re.compile(r"[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)*[ \t]*:?-+:?[ \t]*\|?[ \t]*")
_CELL_ENDS = re.compile(r"(?<!\\)\|")
_SEPARATORS = ",;\t|"
_SEPARATED = {"csv", "tsv"}

Record = dict[str, str]


def tabled(body: Body) -> list[Record]:
    """Read the rows of a table, if an answer is nothing else.

    Returns:
        The cells of each row by the heading of their column in lower case.
    """
    lines = body.lines
    if len(lines) > 1 and "|" in lines[1] and _RULE.fullmatch(lines[1]):
        rows = list(takewhile(lambda line: "|" in line, body.whole_lines[2:]))
        is_table = is_frame([], lines[len(rows) + 2 :])
        return (
            _records(_markdown_cells(lines[0]), map(_markdown_cells, rows), "|") if is_table else []
        )
    return _separated(body)


def _markdown_cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    cells = _CELL_ENDS.split(inner[:-1] if inner.endswith("|") else inner)
    return [unquoted(cell.strip().replace("\\|", "|")) for cell in cells]


def _separated(body: Body) -> list[Record]:
    if not body.lines:
        return []
    is_fenced, first = body.language in _SEPARATED, body.lines[0].strip()
    separator = max(_SEPARATORS, key=lambda each: len(_cells(first, each)))
    heading = _cells(first, separator)
    has_heading = any(is_text_name(plain_name(cell)) for cell in heading)
    if has_heading and (is_fenced or len(heading) > 1):
        rows = [_row(line, separator, len(heading)) for line in body.whole_lines[1:]]
        return _records(heading, [row for row in rows if row], separator)
    return list(_pairs(body, separator)) if is_fenced else []


def _cells(line: str, separator: str) -> list[str]:
    """The cells of a line; none if its quotes are wrong.

    Each line is read by itself, so that a lone quote spoils only its own.
    """
    line = line.strip()
    spaced = re.search(rf'{re.escape(separator)} +"', line) is not None
    try:
        reader = csv.reader([line], delimiter=separator, strict=True, skipinitialspace=spaced)
        return next(reader, [])
    except csv.Error:
        inner = unquoted(line)
        return [inner] if inner != line else []


def _row(line: str, separator: str, count: int) -> list[str]:
    """The cells of a line; where there are too many, quotes and separators are those of a text."""
    cells = _cells(line, separator)
    return line.strip().split(separator) if len(cells) > count else cells


def _records(heading: Sequence[str], rows: Iterable[list[str]], separator: str) -> list[Record]:
    names = [plain_name(cell) or str(place) for place, cell in enumerate(heading)]
    if len(set(names)) < len(names):
        names = [cell.strip().lower() for cell in heading]
    place = next((place for place, name in enumerate(names) if is_text_name(name)), None)
    records = []
    for row in rows:
        surplus = len(row) - len(names)
        if surplus > 0 and place is not None:
            text = separator.join(row[place : place + surplus + 1])
            row[place : place + surplus + 1] = [unquoted(text.strip())]
        if len(row) == len(names):
            records.append(dict(zip(names, map(str.strip, row), strict=True)))
    return records


def _pairs(body: Body, separator: str) -> Iterator[Record]:
    """Rows without a heading, of a text alone, or of a text and one word for its label."""
    for line in body.whole_lines:
        row = [cell.strip() for cell in _cells(line, separator)]
        long = list(filter(is_phrase, row))
        short = [cell for cell in row if len(words_of(cell)) == 1]
        if len(long) == 1 and len(row) - 1 == len(short) <= 1:
            yield {"text": long[0], **dict(zip(["label"], short, strict=False))}
