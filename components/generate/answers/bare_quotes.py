"""Lists of quoted texts in which quotes are not escaped: no JSON, but what LLMs write now and then.

`['I can't believe it', 'Don't go']` and `[""No," he said.", "Fine."]` have one reading for people:
a text ends where a quote, a comma and a quote follow each other.
"""

import json
import re

_LIST = re.compile(r"\[\s*(['\"])(.*)\1\s*(?:,\s*)?\]", re.DOTALL)
_BETWEEN = {quote: re.compile(rf"{quote}\s*,\s*{quote}") for quote in "'\""}
# Two texts in quotes of two kinds or without a comma, a remark behind a comma, a list in the list.
_NO_TEXT = re.compile(r"""'\s*,\s*"|"\s*,\s*'|'\s*'|'\s*,[^'\n]*\n|[\[{]\s*['"]|['"]\s*[\]}]""")
_QUOTES_IN_PAIRS = re.compile(r'[^"]*(?:(?<!\w)"(?=\S)[^"]*(?<=\S)"(?!\w)[^"]*)*')
_TO_NEXT_QUOTE = r"(?:[^'\0]|\b'\b)*"  # but for those within words
_QUOTE_ACROSS_TEXTS = re.compile(rf"(?<!\w)'(?=\w){_TO_NEXT_QUOTE}\0{_TO_NEXT_QUOTE}(?<=\S)'(?!\w)")
_SINGLE_QUOTED = re.compile(r"[\[{:,]\s*'")
_APOSTROPHE = re.compile(r"\b'\b")
_EMPHASISED = re.compile(r"\*\*([^*]+)\*\*|\*([^*]+)\*")
_IN_QUOTES = re.compile(
    r"\"(.*)\",?|\u201c([^\u201c\u201d]*)\u201d,?|\u300c([^\u300c\u300d]*)\u300d,?"
)
_BARE = re.compile(r'(?<!\\)"')


def texts_in_quotes(block: str) -> list[str] | None:
    """Split a list of nothing but quoted texts where one ends and the next begins.

    Returns:
        The texts; none if one of them may hold what looks like its end. None if the block is no
        such list.
    """
    found = _LIST.fullmatch(block)
    if not found:
        return None
    quote, inside = found.groups()
    texts = _BETWEEN[quote].split(inside)
    if any(map(_NO_TEXT.search, texts)):
        return None
    if quote == '"' and not all(map(_QUOTES_IN_PAIRS.fullmatch, texts)):
        return None
    if quote == "'" and _QUOTE_ACROSS_TEXTS.search("\0".join(texts)):
        return []
    try:
        return [_unescaped(text) for text in texts]
    except json.JSONDecodeError:
        return None


def unquoted(text: str) -> str:
    """A text without the quotes around the whole of it, a comma behind them, or marks of emphasis.

    Quotes within that come in pairs are its own; where they do not, those around are no such.
    """
    if emphasised := _EMPHASISED.fullmatch(text):
        text = emphasised[1] or emphasised[2]
    found = _IN_QUOTES.fullmatch(text)
    if not found:
        return text
    inner = found[1] if found[1] is not None else found[2] or found[3] or ""
    if "\\" in inner:
        try:
            return str(json.loads(f'"{inner}"', strict=False)).strip()
        except json.JSONDecodeError:
            return text
    return inner.strip() if _QUOTES_IN_PAIRS.fullmatch(inner) else text


def has_lost_apostrophes(block: str, read: str) -> bool:
    """True if a reading of a block with single quotes took apostrophes for ends of texts."""
    lost = len(_APOSTROPHE.findall(block)) - len(_APOSTROPHE.findall(read))
    return lost > 0 and _SINGLE_QUOTED.search(block) is not None


def _unescaped(text: str) -> str:
    literal = _BARE.sub(r"\"", text.replace("\\'", "'"))
    return str(json.loads(f'"{literal}"', strict=False))
