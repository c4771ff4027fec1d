"""Candidates in an LLM's answer: the last JSON in it, valid or nearly so, or else other forms."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from components.generate.answers.asides import declines, is_phrase
from components.generate.answers.bare_lines import bare_lines
from components.generate.answers.field_names import (
    LABEL_KEYS,
    LIST_KEYS,
    REMARK_KEYS,
    TEXT_KEYS,
    is_numbered,
)
from components.generate.answers.frame import body_of
from components.generate.answers.json_blocks import OPENING, decoded, repaired, valid_blocks
from components.generate.answers.labelled import by_label, split_label
from components.generate.answers.listed import listed
from components.generate.answers.markup import marked_up
from components.generate.answers.records import recorded
from components.generate.answers.tables import tabled
from components.generate.answers.thoughts import without_thoughts

_MAX_CHARACTERS = 50_000
_OTHER_ROLES = ("user", "system", "developer", "tool")
_SCHEMA_KEYS = ("items", "properties")
_ANNOUNCED = re.compile(r"(?:.{0,300}(?::\s*|\n\s*))?(?:```\w*\s*)?", re.DOTALL)
_PLACEHOLDER = re.compile(r"<[^<>]{3,}>|\[[^\[\]]{3,}\]")
_TWO_TEXTS = re.compile(r"[\"'\u201d\u2019]\s*[,;:]\s*[\"'\u201c\u2018]")


@dataclass(frozen=True)
class Candidate:
    """A text from the LLM, with the label that the LLM gave it, if any."""

    text: str
    label: str | None = None


def candidates_in(
    answer: str, labels: Collection[str] = (), *, is_whole: bool = True
) -> list[Candidate]:
    """Find the candidates of an answer.

    They stand in its last JSON that holds any, in prose or a code fence; several blocks with
    nothing but separators between them are one. Of a list that is cut off at the end, the elements
    that are whole count. Where no JSON is valid, what nearly is gets repaired (trailing commas,
    single quotes, ...), and then other forms are read: tags, tables, records, lists, and a
    sentence a line. What an LLM thought before its answer is none of it. Only the last 50 000
    characters are read, at most 4 000 are repaired, and the number of characters read in vain is
    bounded, so that hostile input costs little time.

    Args:
        answer: The answer as it came.
        labels: Names of the labels; a key of such a name gives its texts this label.
        is_whole: False if the answer was cut off at its longest.
    """
    # A text may speak of tags of thinking, where the answer is nothing but JSON.
    is_json = isinstance(decoded(answer[:_MAX_CHARACTERS]), list | dict)
    text = (answer if is_json else without_thoughts(answer))[-_MAX_CHARACTERS:]
    parts = [] if is_json else list(by_label(text, labels).items())
    found = [
        replace(each, label=each.label or label)
        for label, part in parts
        for each in _candidates_of(part, labels, is_whole=is_whole or (label, part) != parts[-1])
    ]
    return found or _candidates_of(text, labels, is_whole=is_whole)


def _candidates_of(text: str, labels: Collection[str], *, is_whole: bool) -> list[Candidate]:
    text = text.strip()
    if text.startswith('"'):
        inner = decoded(text)
        text = inner if isinstance(inner, str) else f"[{text}]" if decoded(f"[{text}]") else text
    blocks, is_cut_off = valid_blocks(text)
    found = [each for values in blocks if (each := list(candidates(values, labels)))]
    if not is_whole and _is_draft(text):
        return []
    if found:
        # Behind the texts stand remarks of a word each at times, such as their topics.
        texts = (each for each in reversed(found) if any(is_phrase(one.text) for one in each))
        return _given(next(texts, found[-1]))
    if is_cut_off:
        return []
    nearly = (each for each in candidates(repaired(text), labels))
    found = [[each for each in nearly if not _TWO_TEXTS.search(each.text)]]
    forms = _other_forms(text, labels, is_whole=is_whole)
    return _given(next((each for each in chain(found, forms) if each), []))


def _given(found: list[Candidate]) -> list[Candidate]:
    """The candidates, if they are no refusal in the place of the texts, without placeholders."""
    told = [each for each in found if not _PLACEHOLDER.fullmatch(each.text)] or found
    return [] if all(declines(each.text) for each in told) else told


def _other_forms(
    text: str, labels: Collection[str], *, is_whole: bool
) -> Iterator[list[Candidate]]:
    """The candidates in each form that is no JSON, in the order in which they are tried."""
    yield list(candidates(marked_up(text, labels), labels))
    if body := body_of(text, is_whole=is_whole):
        yield list(candidates(tabled(body), labels))
        yield list(candidates(recorded(body, labels), labels))
        yield list(_remarked(listed(body), labels))
        yield list(_remarked(bare_lines(body), labels))


def _remarked(texts: Iterable[str], labels: Collection[str]) -> Iterator[Candidate]:
    """Lines as candidates, with the label that stands beside a text."""
    for line in texts:
        if (inner := _json_inside(line)) is None:
            yield Candidate(*split_label(line.strip(), labels))
        else:
            yield from candidates(inner, labels)


def candidates(value: Any, labels: Collection[str] = ()) -> Iterator[Candidate]:
    """The candidates in a JSON value: strings, objects with a text, lists of these.

    The text of an object stands under one of the usual keys, under numbered keys, under the name of
    a label, or under its only key. Other objects are searched for nested lists and objects.
    """
    left: list[tuple[Any, str | None]] = [(value, None)]
    while left:
        value, label = left.pop()
        if isinstance(value, str):
            if (inner := _json_inside(value)) is not None:
                left.append((inner, label))
            else:
                yield Candidate(value.strip(), label)
        elif isinstance(value, list):
            left.extend((each, label) for each in reversed(value))
        elif isinstance(value, dict):
            if keys := list(_texts_as_keys(value, labels)):
                left.extend((each, label) for each in reversed(keys))
                continue
            fields = {key.strip().lower(): each for key, each in value.items()}
            left.extend(reversed(list(_of_object(fields, label, labels))))
        elif isinstance(value, Candidate):
            yield value


def _texts_as_keys(value: dict[str, Any], labels: Collection[str]) -> Iterator[Candidate]:
    """The keys of an object that are texts, if all its values are labels, known or of a word."""
    told = {key.strip(): each for key, each in value.items() if key.lower() not in REMARK_KEYS}
    names = {label.lower() for label in labels}
    given = [each.strip().lower() for each in told.values() if isinstance(each, str)]
    if len(given) < len(told) or not any(map(is_phrase, told)):
        return
    if (
        all(each in names for each in given)
        if names
        else all(len(each.split()) == 1 for each in given)
    ):
        yield from map(Candidate, told, given)


def _of_object(
    fields: dict[str, Any], label: str | None, labels: Collection[str]
) -> Iterator[tuple[Any, str | None]]:
    text, label = _first_string(fields, TEXT_KEYS), _first_string(fields, LABEL_KEYS) or label
    has_list = any(isinstance(fields.get(key), list) for key in LIST_KEYS)
    if fields.get("role") in _OTHER_ROLES:
        return
    if has_list:
        # Beside the texts stand a title, the prompt once more, or what was thought.
        yield from ((fields[key], label) for key in LIST_KEYS if isinstance(fields.get(key), list))
        return
    if text is not None:
        inner = _json_inside(text)
        yield (Candidate(text.strip(), label), None) if inner is None else (inner, label)
        return
    if "type" in fields and any(isinstance(fields.get(key), dict) for key in _SCHEMA_KEYS):
        return
    told = {key: each for key, each in fields.items() if key not in LABEL_KEYS + REMARK_KEYS}
    strings = {key: each for key, each in told.items() if isinstance(each, str)}
    long = [key for key, each in strings.items() if is_phrase(each)]
    for key, value in told.items():
        is_only = key not in TEXT_KEYS and (len(strings) == 1 or long == [key])
        if key in labels:
            yield value, key
        elif is_only or is_numbered(key) or not isinstance(value, str):
            yield value, label


def _is_draft(text: str) -> bool:
    """Tell if an answer that was cut off was still thinking, by what stands before its JSON."""
    opening = OPENING.search(text)
    return opening is not None and not _ANNOUNCED.fullmatch(text, 0, opening.start())


def _json_inside(text: str) -> Any | None:
    """What is in a string that is JSON once more, if it is a list or an object."""
    return decoded(text) if text.lstrip().startswith(("[", "{")) else None


def _first_string(fields: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((fields[key] for key in keys if isinstance(fields.get(key), str)), None)
