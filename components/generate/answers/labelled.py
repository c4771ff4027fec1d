"""Labels that an answer gives its texts outside of JSON: as headings, or beside a text."""

import re
from collections.abc import Collection, Mapping

_BEFORE, _AFTER = r"^[ \t#>*_\d.)(-]*", r"[ \t*_)]*[:\uff1a]?[ \t*_]*(?=$|[\[{])"
_END_OF_TEXT = r"[.!?\u2026\u3002\uff01\uff1f\"'\u201d\u2019)]"


def by_label(text: str, labels: Collection[str]) -> Mapping[str, str]:
    """Divide an answer at the lines that hold nothing but the name of a label.

    Returns:
        What stands under each label, the last time that it comes; empty if none does.
    """
    if not labels:
        return {}
    heading = re.compile(f"{_BEFORE}({_any_of(labels)}){_AFTER}", re.MULTILINE | re.IGNORECASE)
    found = list(heading.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    # Without a heading, there is an end and no beginning.
    return {
        match[1].lower(): text[match.end() : end] for match, end in zip(found, ends, strict=False)
    }


def split_label(text: str, labels: Collection[str]) -> tuple[str, str | None]:
    """Take the name of a label off a text that has it behind or before it, as a remark."""
    if not labels:
        return text, None
    name = rf"(?:(?:label|emotion)\W{{0,3}})?({_any_of(labels)})"
    behind = re.compile(rf"(?s)(.*{_END_OF_TEXT})\s*[(\[|\u2013\u2014:-]\s*{name}[)\]]?\.?", re.I)
    before = re.compile(rf"(?s)[(\[]{name}[)\]]:?\s+(.*)", re.I)
    if found := behind.fullmatch(text):
        return found[1], found[2].lower()
    if found := before.fullmatch(text):
        return found[2], found[1].lower()
    return text, None


def _any_of(labels: Collection[str]) -> str:
    return "|".join(map(re.escape, labels))
