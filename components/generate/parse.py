"""Candidates in an LLM's answer: the last JSON in it, valid or nearly so, or else a list."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from components.generate.bare_quotes import has_lost_apostrophes, texts_in_quotes

_MAX_CHARACTERS = 50_000
_MAX_REPAIRED_CHARACTERS = 4_000
_MAX_EFFORT = 10_000_000
_RECURSION_EFFORT = 10_000
_TEXT_KEYS = ("text", "sentence", "content", "message", "sample", "example", "value")
_LABEL_KEYS = ("label", "emotion", "class", "category")
_REMARK_KEYS = (
    *("note", "notes", "remark", "remarks", "explanation", "reason", "reasoning", "thought"),
    *("thoughts", "thinking", "analysis", "plan", "topic", "topics", "summary", "warning"),
    *("error", "status", "id", "index", "number", "language"),
)
_SCHEMA_KEYS = {"items", "properties"}
# Python refuses to read integers of thousands of digits, floats it always reads. A raw line break
# spoils the text that has it, and not the others.
_DECODER = json.JSONDecoder(parse_int=float, strict=False)
_OPENING = re.compile(r"[\[{]")
_QUOTED = re.compile(r"[\[{:,]\s*[\"'\u201c\u2018]")
_SEPARATOR = re.compile(r"\s*,?\s*")
_BETWEEN_BLOCKS = re.compile(r"(?:[\s,;`]|json|\d{1,3}[.):]|[-*\u2022])*")
_CUT_OFF_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{0,4}\Z")
_THOUGHT = r"(?:seed:)?(?:think(?:ing)?|thoughts?|reasoning)"
_THOUGHT_BEGINS = (
    rf"(?:<{_THOUGHT}>|\[think\]|\u25c1think\u25b7|<\|start_thinking\|>"
    r"|<\|channel\|>\s*analysis)"
)
_THOUGHT_ENDS = (
    rf"(?:</{_THOUGHT}>|\[/think\]|\u25c1/think\u25b7|<\|end_thinking\|>"
    r"|<\|channel\|>\s*final)"
)
_THOUGHTS = re.compile(rf"{_THOUGHT_BEGINS}.*?(?:{_THOUGHT_ENDS}|\Z)", re.DOTALL | re.IGNORECASE)
_LONE_END = re.compile(_THOUGHT_ENDS, re.IGNORECASE)
_NUMBERED_KEY = re.compile(r"[a-z _-]{0,20}\d{1,3}")
_ITEM = re.compile(r"[ \t]*(?:\d{1,3}[.)]|[-*\u2022])[ \t]+([^\s\[{].*)")
_IN_QUOTES = re.compile(r"\"([^\"]*)\",?|\u201c([^\u201c\u201d]*)\u201d,?")
# A line that ends in a colon, and is no refusal with other offers behind it.
_ANNOUNCES = re.compile(
    r"(?!.*\b(?:sorry|cannot|can.t|won.t|unable|instead|must|should|decline)\b).{1,200}:",
    re.IGNORECASE,
)
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
    single quotes, ...), and then a numbered or bulleted list is read. What an LLM thought before
    its answer is none of it. Only the last 50 000 characters are read, at most 4 000 are repaired,
    and the number of characters read in vain is bounded, so that hostile input costs little time.

    Args:
        answer: The answer as it came.
        labels: Names of the labels; a key of such a name gives its texts this label.
        is_whole: False if the answer was cut off at its longest.
    """
    text = _without_thoughts(answer)[-_MAX_CHARACTERS:].strip()
    if text.startswith('"') and isinstance(inner := _decoded(text), str):
        text = inner
    blocks, is_cut_off = _valid_blocks(text)
    for values in reversed(blocks):
        if found := list(candidates(values, labels)):
            return found
    if is_cut_off:
        return []
    repaired = [
        each for each in candidates(_repaired(text), labels) if not _TWO_TEXTS.search(each.text)
    ]
    return repaired or _listed(text, is_whole=is_whole)


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
    text, label = _first_string(fields, _TEXT_KEYS), _first_string(fields, _LABEL_KEYS) or label
    if text is not None:
        yield Candidate(text.strip(), label), None
        return
    if "type" in fields and _SCHEMA_KEYS & set(fields):
        return
    told = {key: each for key, each in fields.items() if key not in _LABEL_KEYS + _REMARK_KEYS}
    texts = [key for key, each in told.items() if isinstance(each, str)]
    for key, value in told.items():
        is_text = len(texts) == 1 or bool(_NUMBERED_KEY.fullmatch(key))
        if key in labels:
            yield value, key
        elif is_text or not isinstance(value, str):
            yield value, label


def _json_inside(text: str) -> Any | None:
    """What is in a string that is JSON once more, if it is a list or an object."""
    return _decoded(text) if text.lstrip().startswith(("[", "{")) else None


def _decoded(text: str) -> Any | None:
    try:
        return _DECODER.decode(text.strip())
    except (json.JSONDecodeError, RecursionError):
        return None


def _first_string(fields: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((fields[key] for key in keys if isinstance(fields.get(key), str)), None)


def _without_thoughts(answer: str) -> str:
    spoken = _THOUGHTS.sub("", answer)
    # Some templates begin the thoughts, so that only their end is in the answer.
    return _LONE_END.split(spoken)[-1]


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
                if runs and _BETWEEN_BLOCKS.fullmatch(text, end, start):
                    elements = [*runs.pop(), *elements]
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
    if (texts := texts_in_quotes(block)) is not None:
        return texts
    if not _QUOTED.search(block) or len(block) > _MAX_REPAIRED_CHARACTERS:
        return None
    try:
        value = repair_json(block, return_objects=True, skip_json_loads=True)
        read = json.dumps(value, ensure_ascii=False)
    except (ArithmeticError, AssertionError, LookupError, RecursionError, TypeError, ValueError):
        # It fails in many ways on what is no JSON at all.
        return None
    return None if has_lost_apostrophes(block, read) else value


def _listed(text: str, *, is_whole: bool) -> list[Candidate]:
    """The items of a list of at least two, if the text is nothing else but a line before it."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = [_ITEM.fullmatch(line) for line in lines]
    if found and found[0] is None and _ANNOUNCES.fullmatch(lines[0].strip()):
        found = found[1:]
    items = [each[1].strip() for each in found if each]
    if len(items) < max(2, len(found)):
        return []
    return [Candidate(_unquoted(item)) for item in items[: None if is_whole else -1]]


def _unquoted(item: str) -> str:
    quoted = _IN_QUOTES.fullmatch(item)
    return (quoted[1] or quoted[2] or "").strip() if quoted else item
