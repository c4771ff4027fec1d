"""Small files that say which id stands for which label: `classes.txt`, `id2label.json`.

Nothing settles how such files are written, so none is taken as the names of the rows' ids. What is
found in one is held against the task, where the rows have nothing but ids.
"""

import json
import logging
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from components.artifacts.task import Task, label_key
from components.errors import InputError
from components.merge.reading.label_lists import Names, means_labels, names_in_file, words_joined

_MOST_FILES, _MOST_LABELS = 2000, 100
# What is told of labels or rows, and not which there are.
_ABOUT_LABELS = re.compile(
    r"readme|guidelines?|instructions?|reports?|counts?|freqs?|frequency|frequencies|weights?|"
    r"stats|statistics|distribution|of"
)

_log = logging.getLogger(__name__)


def says_so(path: Path) -> bool:
    """Check for a file whose name says that it names labels."""
    stem = _stem(path)
    return means_labels(stem) or (
        not _is_about_labels(path) and any(map(means_labels, words_joined(stem).split("_")))
    )


def _is_about_labels(path: Path) -> bool:
    words = words_joined(_stem(path)).split("_")
    return any(map(_ABOUT_LABELS.fullmatch, words))


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
    others = [path for each in dict.fromkeys(folders) for path in _files(each) if path not in read]
    for path in others:
        names = names_in_file(path, named)
        if _is_meant(path, names, task):
            _require_ids_of_the_task(names, task, str(path))
            is_said = True
        elif not names and means_labels(_stem(path)) and path.is_file():
            _log.warning("merge: not read, though its name says that it names labels: %s", path)
    return is_said


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


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


def _is_meant(path: Path, names: Names, task: Task) -> bool:
    """Tell a file about labels from other lists: by its name, or by the task's labels in it."""
    keys, known = {label_key(name) for name in names.values()}, set(task.names)
    is_whole = sorted(names) in (list(range(len(names))), list(range(1, len(names) + 1)))
    is_like = keys <= known or (known <= keys and len(keys) <= _MOST_LABELS)
    is_named = means_labels(_stem(path)) or (says_so(path) and keys & known)
    is_listed = is_whole and is_like and not _is_about_labels(path)
    return bool(keys) and (bool(is_named) or is_listed)
