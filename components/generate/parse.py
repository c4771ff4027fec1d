"""Candidates in an LLM's answer: the last JSON in it, valid or nearly so, or else a list."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from components.generate.bare_quotes import has_lost_apostrophes, texts_in_quotes
from components.generate.listed import listed
from components.texts import words_of

_MAX_CHARACTERS = 50_000
_MAX_REPAIRED_CHARACTERS = 4_000
_MAX_EFFORT = 10_000_000
_RECURSION_EFFORT = 10_000
_TEXT_KEYS = ("text", "sentence", "content", "message", "sample", "example", "value")
_LABEL_KEYS = ("label", "emotion", "class", "category")
_REMARK_KEYS = (
    *("note", "notes", "remark", "remarks", "explanation", "reason", "reasoning", "thought"),
    *("thoughts", "thinking", "analysis", "plan", "topic", "topics", "summary", "warning"),
    *("error", "status", "id", "index", "number", "language", "name", "role", "type"),
)
_SCHEMA_KEYS = ("items", "properties")
_LIST_KEYS = (*_TEXT_KEYS, *(f"{key}s" for key in _TEXT_KEYS))
# Python refuses to read integers of thousands of digits, floats it always reads. A raw line break
# spoils the text that has it, and not the others.
_DECODER = json.JSONDecoder(parse_int=float, strict=False)
_OPENING = re.compile(r"[\[{]")
_QUOTED = re.compile(r"[\[{:,]\s*[\"'\u201c\u2018]")
_QUOTES = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u00ab\u00bb"), '"')
_WIDE_COMMA = re.compile(r'"\s*[\uff0c\u3001]\s*"')
_SEPARATOR = re.compile(r"\s*,?\s*")
_BETWEEN_BLOCKS = re.compile(
    r"(?:[\s,;`]|json|(?:(?:text|sentence|example|sample) ?)?#?\d{1,3}[.):]|[-*\u2022])*",
    re.IGNORECASE,
)
_ANNOUNCED = re.compile(r"(?:.{0,300}(?::\s*|\n\s*))?(?:```\w*\s*)?", re.DOTALL)
_FEWEST_WORDS = 3
_CUT_OFF_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{0,4}\Z")
_THOUGHT = r"(?:seed:)?(?:think(?:ing)?|thoughts?|reasoning|analysis|reflection|scratchpad)"
_THOUGHT_BEGINS = (
    rf"(?:<{_THOUGHT}(?: [^<>]*)?>|\[think\]|\u25c1think\u25b7"
    r"|<\|(?:start_thinking|begin_of_thought)\|>|<\|channel\|?>\s*(?:analysis|thought))"
)
_THOUGHT_ENDS = (
    rf"(?:</{_THOUGHT}>|\[/think\]|\u25c1/think\u25b7|<\|end_(?:thinking|of_thought)\|>"
    r"|<\|channel\|>\s*final|<channel\|>|\[begin final response\])"
)
_THOUGHTS = re.compile(rf"{_THOUGHT_BEGINS}.*?(?:{_THOUGHT_ENDS}|\Z)", re.DOTALL | re.IGNORECASE)
_LONE_END = re.compile(_THOUGHT_ENDS, re.IGNORECASE)
_NUMBERED_KEY = re.compile(r"[a-z _-]{0,20}\d{1,3}")
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
    found = [each for values in blocks if (each := list(candidates(values, labels)))]
    if not is_whole and _is_draft(text):
        return []
    if found:
        # Behind the texts stand remarks of a word each at times, such as their topics.
        texts = (each for each in reversed(found) if any(_is_text(one.text) for one in each))
        return next(texts, found[-1])
    if is_cut_off:
        return []
    repaired = [
        each for each in candidates(_repaired(text), labels) if not _TWO_TEXTS.search(each.text)
    ]
    return repaired or [Candidate(item) for item in listed(text, is_whole=is_whole)]


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
    has_list = any(isinstance(fields.get(key), list) for key in _LIST_KEYS)
    if text is not None and not has_list:
        yield Candidate(text.strip(), label), None
        return
    if "type" in fields and any(isinstance(fields.get(key), dict) for key in _SCHEMA_KEYS):
        return
    told = {key: each for key, each in fields.items() if key not in _LABEL_KEYS + _REMARK_KEYS}
    strings = {key: each for key, each in told.items() if isinstance(each, str)}
    long = [key for key, each in strings.items() if _is_text(each)]
    for key, value in told.items():
        is_only = key not in _TEXT_KEYS and (len(strings) == 1 or long == [key])
        if key in labels:
            yield value, key
        elif is_only or _NUMBERED_KEY.fullmatch(key) or not isinstance(value, str):
            yield value, label


def _is_text(text: str) -> bool:
    return len(words_of(text)) >= _FEWEST_WORDS


def _is_draft(text: str) -> bool:
    """Tell if an answer that was cut off was still thinking, by what stands before its JSON."""
    opening = _OPENING.search(text)
    return opening is not None and not _ANNOUNCED.fullmatch(text, 0, opening.start())


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
    if '"' not in block:
        block = block.translate(_QUOTES)
    block = _WIDE_COMMA.sub('", "', block)
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
