"""Candidates in an LLM's answer: the last JSON in it, valid or nearly so, or else a list."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

_MAX_CHARACTERS = 50_000
_MAX_REPAIRED_CHARACTERS = 8_000
_MAX_EFFORT = 10_000_000
_RECURSION_EFFORT = 10_000
_TEXT_KEYS = ("text", "sentence", "content", "message", "sample", "example", "value")
_LABEL_KEYS = ("label", "emotion", "class", "category")
_REMARK_KEYS = ("note", "notes", "remark", "comment", "explanation", "reason", "error", "status")
# Python refuses to read integers of thousands of digits, floats it always reads. A raw line break
# spoils the text that has it, and not the others.
_DECODER = json.JSONDecoder(parse_int=float, strict=False)
_OPENING = re.compile(r"[\[{]")
_QUOTED = re.compile(r"[\[{:,]\s*[\"'\u201c\u2018]")
_SEPARATOR = re.compile(r"\s*,?\s*")
_BETWEEN_BLOCKS = re.compile(r"(?:[\s,;`]|json|\d{1,3}[.):]|[-*\u2022])*")
_CUT_OFF_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{0,4}\Z")
_THOUGHT_ENDS = re.compile(r"</think(?:ing)?>|\[/THINK\]")
_THOUGHT_BEGINS = re.compile(r"<think(?:ing)?>|\[THINK\]")
_NUMBERED_KEY = re.compile(r"[a-z _-]{0,20}\d{1,3}")
_ITEM = re.compile(r"^[ \t]*(?:\d{1,3}[.)]|[-*\u2022])[ \t]+(\S.*)$", re.MULTILINE)
_QUOTES = re.compile(r"[\"'\u201c\u2018](.*)[\"'\u201d\u2019],?")


@dataclass(frozen=True)
class Candidate:
    """A text from the LLM, with the label that the LLM gave it, if any."""

    text: str
    label: str | None = None


def candidates_in(answer: str, labels: Collection[str] = ()) -> list[Candidate]:
    """Find the candidates of an answer.

    They stand in its last JSON that holds any, in prose or a code fence; several blocks with
    nothing but separators between them are one. Of a list that is cut off at the end, the elements
    that are whole count. Where no JSON is valid, what nearly is gets repaired (trailing commas,
    single quotes, ...), and then a numbered or bulleted list is read. What an LLM thought before
    its answer is none of it. Only the last 50 000 characters are read, at most 8 000 are repaired,
    and the number of characters read in vain is bounded, so that hostile input costs little time.

    Args:
        answer: The answer as it came.
        labels: Names of the labels; a key of such a name gives its texts this label.
    """
    text = _without_thoughts(answer)[-_MAX_CHARACTERS:].rstrip()
    blocks, is_cut_off = _valid_blocks(text)
    for values in reversed(blocks):
        if found := list(candidates(values, labels)):
            return found
    if is_cut_off:
        return []
    return list(candidates(_repaired(text), labels)) or _listed(text)


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
            fields = {key.strip().lower(): each for key, each in value.items()}
            left.extend(reversed(list(_of_object(fields, label, labels))))
        elif isinstance(value, Candidate):
            yield value


def _of_object(
    fields: dict[str, Any], label: str | None, labels: Collection[str]
) -> Iterator[tuple[Any, str | None]]:
    text = _first_string(fields, _TEXT_KEYS)
    if text is not None:
        yield Candidate(text.strip(), _first_string(fields, _LABEL_KEYS) or label), None
        return
    are_numbered = all(_NUMBERED_KEY.fullmatch(key) for key in fields)
    for key, value in fields.items():
        if key in labels:
            yield value, key
        elif not isinstance(value, str) or are_numbered or _is_only_text(fields, key):
            yield value, label


def _is_only_text(fields: dict[str, Any], key: str) -> bool:
    return len(fields) == 1 and key not in _LABEL_KEYS + _REMARK_KEYS


def _json_inside(text: str) -> Any | None:
    """What is in a string that is JSON once more, if it is a list or an object."""
    if not text.lstrip().startswith(("[", "{")):
        return None
    try:
        return _DECODER.decode(text.strip())
    except (json.JSONDecodeError, RecursionError):
        return None


def _first_string(fields: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((fields[key] for key in keys if isinstance(fields.get(key), str)), None)


def _without_thoughts(answer: str) -> str:
    return _THOUGHT_BEGINS.split(_THOUGHT_ENDS.split(answer)[-1])[0]


def _valid_blocks(text: str) -> tuple[list[list[Any]], bool]:
    """The values of every run of valid blocks, and whether the text ends within a block."""
    runs: list[list[Any]] = []
    position, end, effort, is_cut_off = 0, -1, _MAX_EFFORT, False
    while effort > 0 and (opening := _OPENING.search(text, position)):
        start = opening.start()
        try:
            block, position = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            ends_inside = _is_cut_off(error)
            effort -= (len(text) if ends_inside else error.pos) - start + 1
            if ends_inside and (elements := list(_whole_elements(text, start))):
                return [*runs, elements], True
            is_cut_off |= ends_inside
            position = start + 1
        except RecursionError:
            effort -= _RECURSION_EFFORT
            position = start + 1
        else:
            if not runs or not _BETWEEN_BLOCKS.fullmatch(text, end, start):
                runs.append([])
            runs[-1].append(block)
            end = position
    return runs, is_cut_off


def _is_cut_off(error: json.JSONDecodeError) -> bool:
    return (
        error.msg.startswith("Unterminated string")
        or error.pos >= len(error.doc)
        or _CUT_OFF_ESCAPE.match(error.doc, error.pos - 1) is not None
    )


def _whole_elements(text: str, start: int) -> Iterator[Any]:
    if text[start] != "[":
        return
    position = start + 1
    while True:
        separator = _SEPARATOR.match(text, position)
        position = separator.end() if separator else position
        try:
            element, position = _DECODER.raw_decode(text, position)
        except (json.JSONDecodeError, RecursionError):
            return
        yield element


def _repaired(text: str) -> Any | None:
    """What a text from its first bracket to its last would say if it were valid JSON."""
    from json_repair import repair_json

    first = _OPENING.search(text)
    block = text[first.start() : max(text.rfind("]"), text.rfind("}")) + 1] if first else ""
    if not _QUOTED.search(block) or len(block) > _MAX_REPAIRED_CHARACTERS:
        return None
    try:
        return repair_json(block, return_objects=True, skip_json_loads=True)
    except (RecursionError, ValueError):
        return None


def _listed(text: str) -> list[Candidate]:
    """The items of a numbered or bulleted list of at least two."""
    items = [item.strip() for item in _ITEM.findall(text)]
    found = [Candidate(_QUOTES.sub(r"\1", item)) for item in items]
    return found if len(found) > 1 else []
