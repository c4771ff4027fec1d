"""What LLMs call a text, its label and what they remark on it: keys, tags and headings."""

import re
from string import digits

TEXT_KEYS = (
    *("text", "sentence", "content", "message", "sample", "example", "value"),
    *("tweet", "post", "statement", "utterance", "phrase"),
)
LIST_KEYS = (*TEXT_KEYS, *(f"{key}s" for key in TEXT_KEYS))
LABEL_KEYS = ("label", "emotion", "class", "category")
REMARK_KEYS = (
    *("note", "notes", "remark", "remarks", "explanation", "reason", "reasoning", "thought"),
    *("thoughts", "thinking", "analysis", "plan", "topic", "topics", "summary", "warning"),
    *("error", "status", "id", "index", "number", "language", "name", "role", "type"),
    *("#", "no", "no.", "nr", "nr.", "row", "rationale", "comment", "comments"),
    *("title", "description", "instruction", "instructions", "prompt", "step", "steps", "draft"),
    *("metadata", "keywords", "checks", "header", "detail", "details"),
)
_DIGITS = range(1, 4)
_NUMBERED = re.compile(r"[a-z _-]{0,20}\d{1,3}")


def is_numbered(name: str) -> bool:
    """Tell if a name is told from others by its number, as `text1` and `2` are."""
    return _NUMBERED.fullmatch(name) is not None


def plain_name(name: str) -> str:
    """A name in lower case, without a number at its end and without the marks of Markdown."""
    plain = name.strip(" \t*`_\"'").lower()
    bare = plain.rstrip(digits)
    return bare.rstrip(" _#.-") if len(plain) - len(bare) in _DIGITS else plain


def is_text_name(name: str) -> bool:
    """Tell if a plain name says that a text, or a list of texts, stands under it."""
    return name in LIST_KEYS
