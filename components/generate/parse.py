"""Candidates from the last valid JSON block of an LLM's answer."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MAX_CHARACTERS = 50_000
_MAX_EFFORT = 10_000_000
_RECURSION_EFFORT = 10_000
_TEXT_KEYS = ("text", "sentence", "content", "message", "sample", "example", "value")
_LABEL_KEYS = ("label", "emotion", "class", "category")
# Python refuses to read integers of thousands of digits, floats it always reads.
_DECODER = json.JSONDecoder(parse_int=float)
_OPENING = re.compile(r"[\[{]")
_SEPARATOR = re.compile(r"\s*,?\s*")
_CUT_OFF_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{0,4}\Z")


@dataclass(frozen=True)
class Candidate:
    """A text from the LLM, with the label that the LLM gave it, if any."""

    text: str
    label: str | None = None


def last_json(answer: str) -> Any | None:
    """The last list or object of an answer that is valid JSON, or None.

    The block may stand in prose or a code fence. Of a list that is cut off at the end of
    the answer, the elements that are whole are returned. Only the last 50 000 characters
    are read, and the number of characters read in vain is bounded, so that hostile input costs
    little time.
    """
    text = answer[-_MAX_CHARACTERS:].rstrip()
    block, position, effort = None, 0, _MAX_EFFORT
    while effort > 0 and (opening := _OPENING.search(text, position)):
        start = opening.start()
        try:
            block, position = _DECODER.raw_decode(text, start)
            continue
        except json.JSONDecodeError as error:
            is_cut_off = _is_cut_off(error)
            effort -= (len(text) if is_cut_off else error.pos) - start + 1
            if is_cut_off and (elements := list(_whole_elements(text, start))):
                return elements
        except RecursionError:
            effort -= _RECURSION_EFFORT
        position = start + 1
    return block


def candidates(value: Any) -> Iterator[Candidate]:
    """The candidates in a JSON value: strings, objects with a text key, lists of these.

    Objects without a text key are searched for nested lists and objects.
    """
    left = [value]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield Candidate(value.strip())
        elif isinstance(value, list):
            left.extend(reversed(value))
        elif isinstance(value, dict):
            fields = {key.strip().lower(): each for key, each in value.items()}
            text = _first_string(fields, _TEXT_KEYS)
            if text is not None:
                yield Candidate(text.strip(), _first_string(fields, _LABEL_KEYS))
            else:
                left.extend(each for each in reversed(value.values()) if not isinstance(each, str))


def _first_string(fields: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((fields[key] for key in keys if isinstance(fields.get(key), str)), None)


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
