"""Sentences, one a line, in an answer that has no form at all."""

import regex

from components.generate.answers.asides import (
    declines,
    is_phrase,
    presents_texts,
    speaks_of_the_task,
)
from components.generate.answers.frame import Body
from components.generate.answers.listed import is_item

_FEWEST_LINES = 3
_FEWEST_ANNOUNCED = 2
_SHARE_ENDED = 0.6
_LONGEST = 500
# It begins with a letter, a quote, an emoji, a mention or a hashtag, and has no marks of Markdown.
_LINE = regex.compile(
    r"[\p{L}\p{M}\d\"'\p{Pi}\p{Ps}\u00bf\u00a1\u2026\p{Extended_Pictographic}@#&]"
    r"[^\[\]{}<>|`*_]*(?:<3)?"
)
# The end of a sentence, an emoji, a hashtag or an emoticon.
_END = regex.compile(
    r"(?:[\p{Sentence_Terminal}\u2026][\"'\p{Pe}\p{Pf}]*|\p{Extended_Pictographic}[\p{M}\p{Cf}"
    r"\p{Emoji_Modifier}]*|#\w+|[:;=]['-]?[()DPp]|<3)\Z"
)
_NAMED = regex.compile(r"(?:\p{Lu}\w{0,20}|[\w ]{0,20}\d):\s")
_TALK = regex.compile(
    r"(?i)\b(?:sentences?|examples?|samples?|labels?|prompts?|as requested"
    r"|(?:we|i) (?:need to|should|must|have to|could|will) (?:write|generate|produce|create|output"
    r"|give|provide|make|use|avoid|include|answer|respond))\b"
)
_THINKS_ALOUD = regex.compile(
    r"(?i)(?:okay|ok|alright|hmm+|wait|got it|let me|let['\u2019]s)\b[,.!]? "
)


def bare_lines(body: Body) -> list[str]:
    """Take the lines of an answer, if each looks like a sentence and none speaks of the task.

    Without a preamble there must be three of them, most of which end as sentences do; what was cut
    off is then thinking as likely as not.
    """
    lines = [line.strip() for line in body.lines]
    is_announced = bool(body.preamble)
    if lines and not is_announced and presents_texts(lines[0]):
        lines, is_announced = lines[1:], True
    fewest = _FEWEST_ANNOUNCED if is_announced else _FEWEST_LINES
    if len(lines) < fewest or not (body.is_whole or is_announced) or any(map(is_item, lines)):
        return []
    if _THINKS_ALOUD.match(lines[0]) or declines(" ".join(lines)):
        return []
    whole = lines if body.is_whole else lines[:-1]
    ended = sum(_END.search(line) is not None for line in whole)
    if not is_announced and ended < _SHARE_ENDED * len(whole):
        return []
    return whole if all(map(_may_be_text, whole)) else []


def _may_be_text(line: str) -> bool:
    return (
        len(line) <= _LONGEST
        and is_phrase(line)
        and _LINE.fullmatch(line) is not None
        and not (_NAMED.match(line) or _TALK.search(line) or speaks_of_the_task(line))
    )
