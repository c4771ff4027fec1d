"""From an LLM's answer to candidates: its last valid JSON block, normalised."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MAX_CHARACTERS = 1_000_000
_FREE_EFFORT = 1_000_000
_TEXT_KEYS = ("text", "sentence", "content", "message", "sample", "example", "value")
_LABEL_KEYS = ("label", "emotion", "class", "category")
_DECODER = json.JSONDecoder()
_OPENING = re.compile(r"[\[{]")
_SEPARATOR = re.compile(r"\s*,?\s*")


@dataclass(frozen=True)
class Candidate:
    """A text the LLM offers, with the label it gave it, if it gave one."""

    text: str
    label: str | None = None


def last_json(answer: str) -> Any | None:
    """The last list or object of an answer that is valid JSON, or None.

    The block may stand in prose or a code fence. Of a list that is cut off at the end of
    the answer, the elements that are whole are returned. Only the last million characters
    are looked at, and the effort spent on blocks that prove invalid is bounded by a
    multiple of the length, so hostile input costs linear time.
    """
    text = answer[-_MAX_CHARACTERS:]
    effort = _FREE_EFFORT + 64 * len(text)
    block, position = None, 0
    while effort > 0 and (opening := _OPENING.search(text, position)):
        start = opening.start()
        try:
            block, position = _DECODER.raw_decode(text, start)
            continue
        except json.JSONDecodeError as error:
            effort -= error.pos - start + 1
            if _is_cut_off(error) and (elements := list(_whole_elements(text, start))):
                return elements
        except RecursionError:
            effort -= 1000
        position = start + 1
    return block


def candidates(value: Any) -> Iterator[Candidate]:
    """The candidates in a JSON value: strings, objects with a text key, lists of these.

    Objects without a text key are searched for nested lists and objects.
    """
    if isinstance(value, str):
        yield Candidate(value.strip())
    elif isinstance(value, list):
        for element in value:
            yield from candidates(element)
    elif isinstance(value, dict):
        fields = {str(key).strip().lower(): each for key, each in value.items()}
        text = _first_string(fields, _TEXT_KEYS)
        if text is not None:
            yield Candidate(text.strip(), _first_string(fields, _LABEL_KEYS))
            return
        for nested in value.values():
            if isinstance(nested, list | dict):
                yield from candidates(nested)


def _first_string(fields: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((fields[key] for key in keys if isinstance(fields.get(key), str)), None)


def _is_cut_off(error: json.JSONDecodeError) -> bool:
    return error.msg.startswith("Unterminated string") or not error.doc[error.pos :].strip()


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
