"""Small files that say which id stands for which label: `classes.txt`, `id2label.json`.

Nothing settles how such files are written, so none is taken as the names of the rows' ids. What is
found in one is held against the task, where the rows have nothing but ids.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from components.artifacts.task import Task, is_id, label_key
from components.data_files import parse_yaml
from components.errors import InputError

Names = Mapping[int, str]
"""Names of labels by their ids."""

_MOST_BYTES, _MOST_FILES, _MOST_LABELS, _MOST_CHARACTERS = 2**16, 2000, 100, 80
_SAYS_SO = re.compile(
    r"(label|class|categor)[a-z]*|(id|idx|index)(2|to)[a-z]+|[a-z]+(2|to)(id|idx|index)"
)
_BETWEEN_WORDS = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")
_KEYS = ("id2label", "label2id", "label_names", "class_names", "names", "labels", "classes")
_PAIR = re.compile(r"(?P<id>\d+)(\s*[:,;=|]\s*|[.)]\s+|\s+)(?P<name>\D.*)")
_TURNED_PAIR = re.compile(r"(?P<name>.*?)(\s*[:,;=|]\s*|\s+)(?P<id>\d+)")
_PARTS_OF_A_LINE = re.compile(r"\s*[,;\t]\s*")
_UNREADABLE = (OSError, ValueError, RecursionError, csv.Error)


def says_so(path: Path) -> bool:
    """Check for a file whose name says that it names labels."""
    words = [each.lower() for each in _BETWEEN_WORDS.split(path.name.partition(".")[0])]
    return any(map(_SAYS_SO.fullmatch, words))


def holds_names(path: Path, named: Sequence[str]) -> bool:
    """Check for a table that names labels, as its name says, and so holds no rows.

    Args:
        path: The file.
        named: The columns of texts and labels that rows have.
    """
    return says_so(path) and bool(names_in_file(path, named))


def require_same(
    folders: Iterable[Path], read: Sequence[Path], named: Sequence[str], task: Task
) -> bool:
    """Refuse a file beside rows of ids that gives an id to another label than the task does.

    Args:
        folders: Where files are looked for.
        read: The files of the rows, which are none of these.
        named: The columns of texts and labels that rows have.
        task: Its labels stand for the ids.

    Returns:
        Whether there is one that says the same.

    Raises:
        InputError: If there is one; it shows what is found, and a `label_map` for it.
    """
    is_said = False
    for folder in dict.fromkeys(folders):
        for path in _files(folder):
            names = names_in_file(path, named) if path not in read else {}
            if _is_meant(path, names, task):
                _require_ids_of_the_task(names, task, str(path))
                is_said = True
    return is_said


def _files(folder: Path) -> list[Path]:
    # The folder above may be one that nobody but its owner may list.
    with suppress(OSError):
        return sorted(folder.iterdir())[:_MOST_FILES]
    return []


def _require_ids_of_the_task(names: Names, task: Task, where: str) -> None:
    other = {
        number: name
        for number, name in names.items()
        if number < len(task.names) and label_key(name) != task.names[number]
    }
    if not other:
        return
    number, name = min(other.items())
    rule = (
        f"says that {number} is {name!r}, while id {number} of the task {task.name} is "
        f"{task.names[number]}, and the labels of the rows are ids"
    )
    wanted = {str(each): label_key(said) for each, said in sorted(names.items())}
    known = {each: said for each, said in wanted.items() if said in task.names}
    example = f"for example {json.dumps(known)}" if known else f"one of {', '.join(task.names)}"
    fix = f"Say in label_map what each id means, {example}, or put names into the rows"
    raise InputError(where, rule, fix)


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
        text = path.read_bytes().decode("utf-8-sig")
        if rows and set(rows) <= set(_PARTS_OF_A_LINE.split(text.strip().partition("\n")[0])):
            return {}
        names = reader(text)
    except _UNREADABLE:
        return {}
    return names if _are_names(names) else {}


def _is_meant(path: Path, names: Names, task: Task) -> bool:
    """Tell a file about labels from other lists: by its name, or by the task's labels in it."""
    keys, known = {label_key(name) for name in names.values()}, set(task.names)
    is_whole = sorted(names) in (list(range(len(names))), list(range(1, len(names) + 1)))
    is_like = keys <= known or (known <= keys and len(keys) <= _MOST_LABELS)
    return bool(keys) and (says_so(path) or (is_whole and is_like))


def _are_names(names: Names) -> bool:
    keys = [label_key(name) for name in names.values()]
    fit = all(name.strip() and len(name) <= _MOST_CHARACTERS for name in names.values())
    return len(names) > 1 and fit and len(set(keys)) == len(keys) and not all(map(is_id, keys))


def _lines(text: str) -> Names:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) == 1:
        lines = _PARTS_OF_A_LINE.split(lines[0])
    for form in (_PAIR, _TURNED_PAIR):
        found = [form.fullmatch(line) for line in lines]
        if lines and all(found):
            return _paired([(each["id"], each["name"]) for each in found if each])
    return dict(enumerate(lines))


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
        has_header = says_so(Path(rows[0][0])) or label_key(rows[0][0]) == "name"
        return dict(enumerate(row[0] for row in rows[has_header:]))
    for place in (0, 1):
        ids, names = [row[place] for row in rows], [row[1 - place] for row in rows]
        start = 0 if is_id(label_key(ids[0])) else 1
        if len(ids) > start and all(is_id(label_key(each)) for each in ids[start:]):
            return _paired(zip(ids[start:], names[start:], strict=True))
    return {}


def _structure(content: Any) -> Names:
    if isinstance(content, list):
        if all(isinstance(each, str) for each in content):
            return dict(enumerate(content))
        return _paired(filter(None, map(_pair, content))) if all(map(_pair, content)) else {}
    if not isinstance(content, Mapping):
        return {}
    keys = [key for key in _KEYS if key in content] or (list(content) if len(content) == 1 else [])
    if inner := next((content[key] for key in keys), None):
        return _structure(inner) if isinstance(inner, list | Mapping) else {}
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
