"""The classification task: its labels, their ids and what they mean.

Everything that depends on the labels (prompts, schemas, model head, reports, endpoint)
reads them from a task file. The shipped tasks are in `components/artifacts/tasks/`.
"""

import re
import unicodedata
from collections.abc import Mapping, Set
from dataclasses import dataclass
from importlib import resources
from typing import Any

from components.data_files import read_shipped
from components.errors import InputError

_SHIPPED = resources.files("components.artifacts") / "tasks"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_MAX_LABELS = 100
_WHOLE_NUMBER = re.compile(r"\+?0*(\d{1,9})(?:\.0*)?", re.ASCII)
_MAX_WORDS = 4
_WORDS = re.compile(rf"[^\W\d_][\w'-]*( [\w'-]+){{0,{_MAX_WORDS - 1}}}")
_NO_JOINERS = str.maketrans("", "", "\u200c\u200d")


@dataclass(frozen=True)
class Label:
    """One class.

    Args:
        name: The model's answer.
        description: Meaning of a text of the class, in one line.
        examples: A few texts of the class.
        words: Forms of words, and short phrases, that name the class in a text.
    """

    name: str
    description: str
    examples: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """A single-label text classification task.

    Args:
        name: Short name.
        description: Meaning of the label of a text, as a clause.
        labels: The classes; a label's id is its place.
        topics: Subjects of the synthetic texts, in turn; may be empty.
    """

    name: str
    description: str
    labels: tuple[Label, ...]
    topics: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The label names in the order of their ids."""
        return tuple(label.name for label in self.labels)

    def label_id(self, value: object) -> int | None:
        """The id of a label given by name (any case) or by id, or None if it is not a label."""
        key = label_key(value)
        if key in self.names:
            return self.names.index(key)
        return int(key) if is_id(key) and int(key) < len(self.labels) else None


def label_key(value: object) -> str:
    """The form in which labels are compared: 1, 1.0, "01" and " 1 " are one, Joy and joy too."""
    # An umlaut may be one character or two.
    text = unicodedata.normalize("NFC", str(value)).strip().lower()
    if whole := _WHOLE_NUMBER.fullmatch(text):
        return whole[1]
    return text


def is_id(key: str) -> bool:
    """Check whether a label, as `label_key` gives it, is a number, and no name."""
    return key.isascii() and key.isdecimal()


def load_task(reference: str) -> Task:
    """Read a task by shipped name, or from a YAML file.

    Args:
        reference: The name of a shipped task (`emotion`), or a path or URI of a task file.

    Raises:
        InputError: If there is no such task or the file breaks a rule.
    """
    content = read_shipped(reference, _SHIPPED, "task file")
    return _task(content, f"task file {reference}")


def _task(content: Mapping[str, Any], where: str) -> Task:
    fields = _fields(content, {"name", "description", "labels"}, where, optional={"topics"})
    listed = fields["labels"]
    if not isinstance(listed, list) or not 2 <= len(listed) <= _MAX_LABELS:
        count = f"a list of {len(listed)}" if isinstance(listed, list) else f"{listed!r:.60}"
        rule = f"`labels` must be a list of 2 to {_MAX_LABELS}, and is {count}"
        raise InputError(where, rule, f"Write 2 labels or more, at most {_MAX_LABELS}")
    labels = tuple(_label(each, f"{where}, label {n}") for n, each in enumerate(listed))
    names = [label.name for label in labels]
    if len(set(names)) < len(names):
        raise InputError(where, f"a label name occurs twice in {names}", "Make the names distinct")
    return Task(
        name=_name(fields["name"], where),
        description=_line(fields["description"], where),
        labels=labels,
        topics=_lines(fields, "topics", where),
    )


def _label(content: object, where: str) -> Label:
    fields = _fields(content, {"name", "description"}, where, optional={"examples", "words"})
    return Label(
        name=_name(fields["name"], where),
        description=_line(fields["description"], where),
        examples=_lines(fields, "examples", where),
        words=tuple(_word(each, where) for each in _lines(fields, "words", where)),
    )


def _fields(
    content: object, required: Set[str], where: str, optional: Set[str] = frozenset()
) -> Mapping[str, Any]:
    if not isinstance(content, dict) or not required <= set(content) <= required | optional:
        allowed = ", ".join(sorted(required | optional))
        raise InputError(where, f"must have the keys {allowed} and no other", "Correct the file")
    return content


def _name(value: object, where: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        rule = "a name is a letter from a to z, then up to 62 of a to z, 0 to 9, _ or -"
        fix = "Rename it" if isinstance(value, str) else "Put it into quotation marks, or rename it"
        raise InputError(f"{where}, name {value!r}", rule, fix)
    return value


def _word(value: str, where: str) -> str:
    # Vowels of Hindi are marks on letters, and Persian joins the parts of a word without a space.
    letters = (each for each in value if unicodedata.category(each)[0] != "M")
    if not _WORDS.fullmatch("".join(letters).translate(_NO_JOINERS)) or value != value.lower():
        rule = f"a word is at most {_MAX_WORDS} lower-case words without signs other than - and '"
        raise InputError(f"{where}, words, {value!r:.80}", rule, "Rewrite it")
    return value


def _lines(fields: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    listed = fields.get(key, [])
    if not isinstance(listed, list):
        raise InputError(where, f"`{key}` must be a list of texts", "Write one text per line")
    return tuple(_line(each, f"{where}, {key}") for each in listed)


def _line(value: object, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= 500 or "\n" in value.strip():
        raise InputError(f"{where}, text {value!r:.80}", "must be one line of text", "Rewrite it")
    return value.strip()
