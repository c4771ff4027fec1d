"""Lists of texts in an answer that is no JSON: numbered, with bullets, or a quoted text a line."""

import re

_NUMBER = r"(?:\*\*)?\(?\d{1,3}(?:[.):]|\.?\*\*)(?:\*\*)?[ \t]+"
_ITEM = re.compile(
    rf"[ \t]*(?:(?:(?:text|sentence|example) )?{_NUMBER}|\d{{1,3}}[\u3001\uff0e]\s*"
    r"|[-*+\u2022\u2013][ \t]+)([^\s\[{].*)",
    re.IGNORECASE,
)
_QUOTED_LINE = re.compile(r"[ \t]*((?:\"[^\"]+\"|\u201c[^\u201c\u201d]+\u201d),?)[ \t]*")
_IN_QUOTES = re.compile(r"\"([^\"]*)\",?|\u201c([^\u201c\u201d]*)\u201d,?")
# A line that ends in a colon, and is no refusal with other offers behind it.
_ANNOUNCES = re.compile(
    r"(?!.*\b(?:sorry|cannot|can.t|won.t|unable|instead|must|should|decline)\b).{1,200}:",
    re.IGNORECASE,
)
_TAKES_LEAVE = re.compile(
    r"(?:(?:i )?hope\b|let me know\b|feel free\b|(?:please )?note\b|would you like\b"
    r"|if you\b|is there\b|(?:these|each|all|both)\b.{0,40}\b(?:texts?|sentences?|examples?)\b)"
    r".{0,300}",
    re.IGNORECASE,
)


def listed(text: str, *, is_whole: bool) -> list[str]:
    """Split a list of at least two items, if a text is nothing else but a line before and after.

    Args:
        text: The text.
        is_whole: False if it was cut off at its end; its last item is left out then.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and _ANNOUNCES.fullmatch(lines[0].strip()) and not _ITEM.fullmatch(lines[0]):
        lines = lines[1:]
    if lines and _TAKES_LEAVE.fullmatch(lines[-1].strip()):
        lines, is_whole = lines[:-1], True
    for pattern in (_ITEM, _QUOTED_LINE):
        found = [match[1].strip() for line in lines if (match := pattern.fullmatch(line))]
        if len(found) == len(lines) > 1:
            return [_unquoted(item) for item in found[: None if is_whole else -1]]
    return []


def _unquoted(item: str) -> str:
    quoted = _IN_QUOTES.fullmatch(item)
    return (quoted[1] or quoted[2] or "").strip() if quoted else item
