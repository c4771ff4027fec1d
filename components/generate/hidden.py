"""Characters that a reader does not see."""

import re
import unicodedata

_OTHER = {"Cc", "Cf", "Cs", "Co", "Cn"}
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_EMOJI = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff"
_EMOJI_JOINTS = re.compile(
    f"(?<=[{_EMOJI}])\ufe0f|(?<=[0-9#*])\ufe0f(?=\u20e3)|(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])"
)


def has_hidden_characters(text: str) -> bool:
    """Whether a text has control, format, private or unassigned characters or selectors.

    Among them are line breaks, bidirectional overrides and isolates, zero-width characters,
    tags and lone surrogates. What joins the parts of an emoji is no fault.
    """
    if text.isascii():
        return not text.isprintable()
    rest = _EMOJI_JOINTS.sub("", text)
    return bool(_SELECTORS.search(rest)) or any(unicodedata.category(c) in _OTHER for c in rest)
