"""Sentences, one a line, in an answer that has no form at all."""

import regex

from components.generate.asides import declines, speaks_of_the_task
from components.generate.frame import Body
from components.texts import words_of

_FEWEST_LINES = 3
_FEWEST_ANNOUNCED = 2
_FEWEST_WORDS = 3
_LONGEST = 400
# A letter, a quote, an emoji, a mention or a hashtag; and the end of a sentence, an emoji, a
# hashtag or an emoticon.
_SENTENCE = regex.compile(
    r"[\p{L}\p{M}\d\"'\p{Pi}\p{Ps}\u00bf\u00a1\p{Extended_Pictographic}@#][^\[\]{}<>|`*_]*"
    r"(?:[\p{Sentence_Terminal}\u2026][\"'\p{Pe}\p{Pf}]*|\p{Extended_Pictographic}[\p{M}\p{Cf}"
    r"\p{Emoji_Modifier}]*|#\w+|[:;=]['-]?[()DPp])"
)
_NAMED = regex.compile(r"(?:\p{Lu}\w{0,20}|[\w ]{0,20}\d):\s")
_TALK = regex.compile(
    r"(?i)\b(?:sentences?|examples?|samples?|labels?|prompts?|as requested|let me|let['\u2019]s"
    r"|(?:we|i) (?:need to|should|must|have to|could|will) (?:write|generate|produce|create|output"
    r"|give|provide|make|use|avoid|include|answer|respond))\b"
)
_THINKS_ALOUD = regex.compile(r"(?i)(?:okay|ok|alright|hmm+|wait|got it)\b[,.!]? ")


def bare_lines(body: Body) -> list[str]:
    """Take the lines of an answer, if each looks like a sentence and none speaks of the task.

    Without a preamble there must be three of them; what was cut off is thinking as likely as not.
    """
    lines = [line.strip() for line in body.lines]
    fewest = _FEWEST_ANNOUNCED if body.preamble else _FEWEST_LINES
    if len(lines) < fewest or not (body.is_whole or body.preamble):
        return []
    if _THINKS_ALOUD.match(lines[0]) or declines(" ".join(lines)):
        return []
    whole = lines if body.is_whole else lines[:-1]
    return whole if all(map(_is_sentence, whole)) else []


def _is_sentence(line: str) -> bool:
    return (
        len(line) <= _LONGEST
        and len(words_of(line)) >= _FEWEST_WORDS
        and _SENTENCE.fullmatch(line) is not None
        and not (_NAMED.match(line) or _TALK.search(line) or speaks_of_the_task(line))
    )
