"""Names of labels by their ids, as lists, maps and tables in small files have them."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.artifacts.task import is_id, label_key
from components.data_files import parse_yaml
from components.errors import InputError

Names = Mapping[int, str]
"""Names of labels by their ids."""

_MOST_BYTES, _MOST_CHARACTERS = 2**16, 80
_THING = r"(labels?|class(es)?|category|categories|emotions?)"
_ID = r"(ids?|idx|index|indices)"
_LABELS = re.compile(
    rf"({_THING}_)?{_THING}(_?(names?|lists?|maps?|mappings?|dict|index|indices|ids?|encoder))*"
    rf"|{_ID}_?(2|to)_?{_THING}(_?names?)?|{_THING}(_?names?)?_?(2|to)_?{_ID}"
)
_ID_HEADING = re.compile(rf"({_THING}_?)?{_ID}|labels?|value|code|key")
_COUNT_HEADING = re.compile(
    r"n|num_\w+|(.*_)?(counts?|rows|freq\w*|total|support|examples|samples|weights?)"
)
_OTHER_HEADINGS = ("name", "names", "id", "index", "value")
_BETWEEN_WORDS = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")
_SEPARATOR = r"(\s*(->|=>|[-:,;=|\u2192])\s*|\s+)"
_PAIR = re.compile(rf"(?P<id>\d+)({_SEPARATOR}|[.)]\s+)(?P<name>\D.*)")
_TURNED_PAIR = re.compile(rf"(?P<name>.*?){_SEPARATOR}(?P<id>\d+)")
_BETWEEN_PARTS = re.compile(r"[,;\t]")
_REMARK = re.compile(r"(^|\s)#.*")
_UNPRINTED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_UNREADABLE = (OSError, ValueError, RecursionError, csv.Error)


def words_joined(name: str) -> str:
    """The words of a name in one form: `labelNames` and `Label names` are `label_names`."""
    return "_".join(word.lower() for word in _BETWEEN_WORDS.split(name) if word)


def means_labels(name: str) -> bool:
    """Check for a word for names of labels: `classes`, `label_map`, `id2label`."""
    return _LABELS.fullmatch(words_joined(name)) is not None


def names_in_file(path: Path, rows: Sequence[str] = ()) -> Names:
    """Read the names of labels by id, if a file is nothing else than a list or map of them.

    Args:
        path: Any file.
        rows: Columns by which a table is known to hold rows.
    """
    reader = _READERS.get(path.suffix.lower())
    try:
        if reader is None or not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return {}
        text = _decoded(path.read_bytes())
        if rows and set(rows) <= set(_parts(text.strip().partition("\n")[0])):
            return {}
        names = {} if _UNPRINTED.search(text) else reader(text)
    except _UNREADABLE:
        return {}
    return names if _are_names(names) else {}


def _decoded(content: bytes) -> str:
    """The text of a file in one of the encodings that Windows writes."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _are_names(names: Names) -> bool:
    keys = [label_key(name) for name in names.values()]
    fit = all(name.strip() and len(name) <= _MOST_CHARACTERS for name in names.values())
    return len(names) > 1 and fit and len(set(keys)) == len(keys) and not all(map(is_id, keys))


def _is_heading(line: str) -> bool:
    words = words_joined(line).split("_")
    return all(means_labels(word) or word in _OTHER_HEADINGS for word in words)


def _parts(line: str) -> list[str]:
    return [part.strip() for part in _BETWEEN_PARTS.split(line)]


def _lines(text: str) -> Names:
    if text.lstrip().startswith(("{", "[")):
        return _yaml(text)
    lines = [line for each in text.splitlines() if (line := _REMARK.sub("", each).strip())]
    if len(lines) > 1 and _is_heading(lines[0]):
        lines = lines[1:]
    if len(lines) == 1:
        lines = _parts(lines[0])
        is_of_words = len(lines) == 1 and not any(map(str.isdigit, lines[0]))
        lines = lines[0].split() if is_of_words else lines
    if any(len(line) > 2 * _MOST_CHARACTERS for line in lines):
        return {}
    for form in (_PAIR, _TURNED_PAIR):
        found = [form.fullmatch(line) for line in lines]
        if lines and all(found):
            return _paired([(each["id"], each["name"]) for each in found if each])
    return dict(enumerate(line.strip("\"', ") for line in lines))


def _table(text: str) -> Names:
    separator = max(",;\t|", key=text.partition("\n")[0].count)
    rows = [
        [cell.strip() for cell in row]
        for row in csv.reader(text.splitlines(), delimiter=separator)
        if any(cell.strip() for cell in row)
    ]
    if not rows:
        return {}
    if min(map(len, rows)) == 1:
        return dict(enumerate(row[0] for row in rows[_is_heading(rows[0][0]) :]))
    has_header = not any(is_id(label_key(cell)) for cell in rows[0])
    headings = [words_joined(cell) if has_header else "" for cell in rows[0]]
    columns = list(zip(*rows[has_header:], strict=False))
    return _names_of_columns(headings, columns)


def _names_of_columns(headings: Sequence[str], columns: Sequence[Sequence[str]]) -> Names:
    """Names by id, from a column of ids, which its heading or place tells, and the first other."""
    are_ids = [all(is_id(label_key(cell)) for cell in column) for column in columns]
    ids = [
        place
        for place, heading in enumerate(headings[: len(columns)])
        if are_ids[place] and not _COUNT_HEADING.fullmatch(heading)
    ]
    ids.sort(key=lambda place: _ID_HEADING.fullmatch(headings[place]) is None)
    names = [place for place in range(len(columns)) if not are_ids[place]]
    names.sort(key=lambda place: not _is_heading(headings[place]))
    if not ids or not names or (ids[0] > 1 and not _ID_HEADING.fullmatch(headings[ids[0]])):
        return {}
    return _paired(zip(columns[ids[0]], columns[names[0]], strict=True))


def _structure(content: Any) -> Names:
    if isinstance(content, list):
        if all(isinstance(each, str) for each in content):
            return dict(enumerate(content))
        return _paired(filter(None, map(_pair, content))) if all(map(_pair, content)) else {}
    if not isinstance(content, Mapping):
        return {}
    inner = {key: each for key, each in content.items() if isinstance(each, list | Mapping)}
    keys = [key for key in inner if means_labels(str(key)) or key in ("names", "features")]
    for key in keys or (inner if len(content) == 1 else ()):
        if names := _structure(inner[key]):
            return names
    return _structure([[key, value] for key, value in content.items()])


def _pair(row: Any) -> tuple[str, str] | None:
    """The first number of an object or list, and its first text that is none."""
    values = list(row.values()) if isinstance(row, Mapping) else row
    if not isinstance(values, list):
        return None
    inner = [each for value in values if isinstance(value, Mapping) for each in value.values()]
    texts = [str(each) for each in [*values, *inner] if isinstance(each, str | int)]
    ids = [each for each in texts if is_id(label_key(each))]
    names = [each for each in texts if not is_id(label_key(each))]
    return (ids[0], names[0]) if ids and names else None


def _paired(pairs: Iterable[tuple[str, str]]) -> Names:
    """Names by id; none if an id is there twice, as it is in rows."""
    listed = [(int(label_key(number)), name.strip().strip("\"'")) for number, name in pairs]
    names = dict(listed)
    return names if len(names) == len(listed) else {}


def _yaml(text: str) -> Names:
    try:
        return _structure(parse_yaml(text, ""))
    except InputError:
        return {}


_READERS: Mapping[str, Callable[[str], Names]] = {
    "": _lines,
    ".txt": _lines,
    ".names": _lines,
    ".labels": _lines,
    ".csv": _table,
    ".tsv": _table,
    ".json": lambda text: _structure(json.loads(text)),
    ".yaml": _yaml,
    ".yml": _yaml,
}
