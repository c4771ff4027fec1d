"""Texts between tags in an answer that is no JSON, as in XML or HTML.

Tags are found by their form alone. Parsers of HTML take `</3`, a broken heart, for one.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from components.generate.answers.field_names import (
    LABEL_KEYS,
    REMARK_KEYS,
    is_text_name,
    plain_name,
)
from components.generate.answers.frame import is_frame

_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]{0,40})((?:\s[^<>]*)?)/?>")
_LABEL = re.compile(rf"\b(?:{'|'.join(LABEL_KEYS)})\s*=\s*[\"']([^\"'<>]*)[\"']", re.IGNORECASE)
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_BETWEEN = re.compile(r"(?:[\s,;`]|#?\d{1,3}[.):]|[-*\u2022])*")
_INLINE = {"b", "i", "em", "strong", "u", "br", "hr", "code", "span", "s", "mark", "a", "small"}
_PROSE = {"p", "title", "heading", "header", "intro", "introduction", "preamble", "conclusion"}
_PROSE |= {"h", "outro", "footer", "head", "style", "script"}
_TEXTS = {"item", "li", "entry", "string", "line", "quote", "example_text"}
_FENCE = re.compile(r"\s*```")


@dataclass
class _Element:
    name: str
    label: str = ""
    begins: int = 0
    fields: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, name: str, value: Any) -> None:
        """Add a child: of one name there may be several."""
        self.fields.setdefault(name, []).append(value)


class _Tree:
    """The elements of a text.

    Args:
        text: What is read; a tag of its form may be none, so that not every text is sound.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.open = [_Element("")]
        self.leaves: Counter[str] = Counter()
        self.outside: list[str] = []
        self.is_sound = True
        end = 0
        for tag in _TAG.finditer(text):
            if plain_name(tag[2]) in _INLINE or tag[0].endswith("/>"):
                continue
            if len(self.open) == 1:
                self.outside.append(text[end : tag.start()])
            self.is_sound = self.is_sound and self._take(tag)
            end = tag.end()
        if len(self.open) == 1:
            self.outside.append(text[end:])

    @property
    def closed(self) -> list[Any]:
        """What is closed, also within what is not."""
        return [_flat(element.fields) for element in self.open if element.fields]

    def _take(self, tag: re.Match[str]) -> bool:
        """Open or close an element; False if it has no place here."""
        name = plain_name(tag[2])
        if not tag[1]:
            label = _LABEL.search(tag[3])
            if self.open[-1].name == name:
                return False
            self.open.append(_Element(name, label[1] if label else "", tag.end()))
            return True
        if self.open[-1].name != name:
            return False
        element = self.open.pop()
        if element.fields:
            value: Any = _flat(element.fields)
        else:
            value = unescape(_TAG.sub("", self.text[element.begins : tag.start()])).strip()
            self.leaves.update({name} - _PROSE)
        if element.label:
            value = {"label": element.label, "texts": [value]}
        if name not in _PROSE:
            self.open[-1].add(name, value)
        return True


def marked_up(text: str, labels: Collection[str]) -> list[Any]:
    """Read elements whose names say that they are texts, or that come again and again.

    What is not closed was cut off.

    Args:
        text: The answer; around the elements may be a preamble and a farewell.
        labels: Names that elements may have as well.

    Returns:
        The outermost elements by their names: texts, or what is in them by its names.
    """
    tree = _Tree(_CDATA.sub("", text))
    names = {*_TEXTS, *LABEL_KEYS, *REMARK_KEYS, *(label.lower() for label in labels)}
    is_known = all(
        is_text_name(name) or name in names or count > 1 for name, count in tree.leaves.items()
    )
    if not tree.is_sound or not tree.leaves or not is_known or not _is_frame(tree.outside):
        return []
    return tree.closed


def _is_frame(outside: Sequence[str]) -> bool:
    """Tell if no more is said around elements than a preamble and a farewell."""
    before, *between = outside
    after = between.pop() if between else ""
    lines = [
        [line for line in each.splitlines() if line.strip() and not _FENCE.match(line)]
        for each in (before, after)
    ]
    return is_frame(*lines) and all(map(_BETWEEN.fullmatch, between))


def _flat(fields: dict[str, list[Any]]) -> Any:
    """The values of an element by their names: rows, where each text has its label."""
    counts = {len(each) for each in fields.values()}
    if len(counts) == 1 and max(counts) > 1 and not set(LABEL_KEYS).isdisjoint(fields):
        return [dict(zip(fields, row, strict=True)) for row in zip(*fields.values(), strict=True)]
    return {name: each[0] if len(each) == 1 else each for name, each in fields.items()}
