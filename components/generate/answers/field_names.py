"""What LLMs call a text, its label and what they remark on it: keys, tags and headings."""

import re

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
)
_NUMBERED = re.compile(r"[a-z _-]{0,20}\d{1,3}")
_NUMBER = re.compile(r"[ _#.-]*\d{1,3}\Z")


def is_numbered(name: str) -> bool:
    """Tell if a name is told from others by its number, as `text1` and `2` are."""
    return _NUMBERED.fullmatch(name) is not None


def plain_name(name: str) -> str:
    """A name in lower case, without a number at its end and without the marks of Markdown."""
    return _NUMBER.sub("", name.strip(" \t*`_\"'").lower())


def is_text_name(name: str) -> bool:
    """Tell if a plain name says that a text, or a list of texts, stands under it."""
    return name in LIST_KEYS
