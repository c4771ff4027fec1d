"""JSON within a text: the blocks that are valid, and what a block that nearly is would say."""

import json
import re
from collections.abc import Iterator
from typing import Any

from components.generate.answers.bare_quotes import has_lost_apostrophes, texts_in_quotes

OPENING = re.compile(r"[\[{]")
"""Where a block may begin."""

# Python refuses to read integers of thousands of digits, floats it always reads. A raw line break
# spoils the text that has it, and not the others.
_DECODER = json.JSONDecoder(parse_int=float, strict=False)
_MAX_REPAIRED_CHARACTERS = 4_000
_MAX_EFFORT = 10_000_000
_RECURSION_EFFORT = 10_000
_QUOTED = re.compile(r"[\[{:,]\s*[\"'\u201c\u2018]")
_QUOTES = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u00ab\u00bb"), '"')
_WIDE_COMMA = re.compile(r'"\s*[\uff0c\u3001]\s*"')
_SEPARATOR = re.compile(r"\s*,?\s*")
_BETWEEN_BLOCKS = re.compile(
    r"(?:[\s,;`]|json|(?:(?:text|sentence|example|sample) ?)?#?\d{1,3}[.):]|[-*\u2022])*",
    re.IGNORECASE,
)
_CUT_OFF_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{0,4}\Z")


def valid_blocks(text: str) -> tuple[list[list[Any]], bool]:
    """The values of every run of valid blocks, and whether the text ends within a block."""
    runs: list[list[Any]] = []
    position, end, effort, is_cut_off = 0, -1, _MAX_EFFORT, False
    while effort > 0 and (opening := OPENING.search(text, position)):
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


def repaired(text: str) -> Any | None:
    """What a text from its first bracket to its last would say if it were valid JSON."""
    from json_repair import repair_json

    first = OPENING.search(text)
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


def decoded(text: str) -> Any | None:
    """The value of a text that is one block and nothing else; None for any other text."""
    try:
        return _DECODER.decode(text.strip())
    except (json.JSONDecodeError, RecursionError):
        return None
