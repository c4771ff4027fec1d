"""Lists of texts in an answer that is no JSON: numbered, with bullets, or a quoted text a line."""

import re
from collections.abc import Sequence

from components.generate.answers.asides import presents, speaks_of_the_task, takes_leave
from components.generate.answers.bare_quotes import unquoted
from components.generate.answers.frame import Body, is_frame

_NAME = (
    r"(?:text|sentence|example|option|message|post|no\.?|nr\.?|satz|beispiel|frase|ejemplo|exemple"
    r"|phrase|esempio|zin|voorbeeld|\u043f\u0440\u0438\u043c\u0435\u0440|\u53e5\u5b50|\u4f8b)[ \t]?"
)
# `1.`, `(1)`, `**2**`, `Text 3:`, `#4:`, `5 -`, `[6]`, `a)`, `ii.`, a digit in a circle or a box.
_NUMBER = (
    rf"(?:{_NAME})?(?:\*\*)?[\[(#]?\d{{1,3}}[ \t]?(?:[.):\]]|[-\u2013\u2014](?=[ \t])|\.?\*\*)"
    r"(?:\*\*)?[ \t]+"
    r"|(?:[a-h]|[ivx]{1,4})[.)][ \t]+|[\u2460-\u2473\u2776-\u277f][ \t]*|\d\ufe0f?\u20e3[ \t]*"
)
# Chinese and Japanese put no space behind it.
_WIDE_NUMBER = (
    r"(?:\u53e5\u5b50|\u4f8b)?(?:\uff08\d{1,3}\uff09|[\d\u4e00-\u5341]{1,3}[\u3001\uff0e\uff1a])\s*"
    r"|\d{1,3}\.(?=[\u3040-\u9fff])"
)
_BULLET = (
    r"[-*+][ \t]+\[[ x]?\][ \t]+|[-*+\u2013>][ \t]+"
    r"|[\u2022\u2023\u25e6\u25cf\u25cb\u25aa\u25a0\u25b6\u2192\u30fb\u00b7\u2705\u2714]\ufe0f?"
    r"[ \t]*"
)
_ITEM = re.compile(rf"[ \t]*(?:{_NUMBER}|{_WIDE_NUMBER}|{_BULLET})([^\s\[{{].*)", re.IGNORECASE)
_SHARE_OF_THE_TASK = 0.3
_QUOTED_LINE = re.compile(r"[ \t]*((?:\"[^\"]+\"|\u201c[^\u201c\u201d]+\u201d),?)[ \t]*")
_REMARKED = re.compile(
    r"(\"[^\"]+\"|\u201c[^\u201c\u201d]+\u201d)(?:\s*\(.*\)|\s+[-\u2013\u2014] .*)?"
)


def listed(body: Body) -> list[str]:
    """Split a list of at least two items that is no plan, between a preamble and a farewell."""
    for pattern in (_ITEM, _QUOTED_LINE):
        matches = [pattern.fullmatch(line) for line in body.lines]
        places = [place for place, match in enumerate(matches) if match]
        if len(places) < 2:
            continue
        first, end = places[0], places[-1] + 1
        items = [match[1].strip() for match in matches[first:end] if match]
        before, after = body.lines[:first], body.lines[end:]
        if len(items) < end - first or not _is_around(before, after, is_whole=body.is_whole):
            continue
        return _texts(items if body.is_whole or after else items[:-1])
    return []


def is_item(line: str) -> bool:
    """Tell if a line begins as those of lists do."""
    return _ITEM.fullmatch(line) is not None


def _is_around(before: Sequence[str], after: Sequence[str], *, is_whole: bool) -> bool:
    """Tell if lines before and after a list only present it, and take leave.

    What was cut off is thinking as likely as not, unless it announces its texts.
    """
    if not is_frame(before, after) or (before and not is_whole):
        return False
    return all(map(presents, before)) and all(map(takes_leave, after))


def _texts(items: Sequence[str]) -> list[str]:
    """The texts of items; none if many of them are points of a plan."""
    remarked = list(filter(None, map(_REMARKED.fullmatch, items)))
    if len(remarked) == len(items):
        items = [match[1] for match in remarked]
    of_the_task = sum(map(speaks_of_the_task, items))
    return [] if of_the_task > _SHARE_OF_THE_TASK * len(items) else list(map(unquoted, items))
