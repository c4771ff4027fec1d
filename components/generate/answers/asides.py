"""What an LLM says about its task in place of the texts: refusals, plans, headings."""

import re
import unicodedata
from functools import cache
from importlib import resources

from components.texts import words_of

_BEGINNING = 160
_FEWEST_WORDS = 3
_GAP = " ... "
_BEYOND_CYRILLIC = "\u0530"
_LONGEST_PREAMBLE = 200
_PLANS = re.compile(
    r"\b(?:users?|prompt|(?:i|we) (?:need|should|must|have to|could|want)|let me|let['\u2019]s"
    r"|consider\w*|think(?:ing)?|thoughts?|constraints?|plan(?:ning)?|steps?|approach|process"
    r"|analy[sz]\w+|brainstorm\w*|draft\w*|break(?:ing)? ?down|strategy"
    r"|here (?:is|are) (?:\w+ ){0,2}(?:requirements|rules|criteria|guidelines|points|ideas|topics))"
    r"\b|\u7528\u6237|\u601d\u8003|\u5206\u6790",
    re.IGNORECASE,
)
_MAY_PLAN = re.compile(
    r"\b(?:tasks?|requests?|requirements?|require[sd]?|rules?|criteria|guidelines?|instructions?"
    r"|points?|ideas?|topics?|scenarios?|situations?|possib\w+|needs?|needed|have to|wait|first"
    r"|remember|avoid|maybe|perhaps|options?|tone|format|goals?|checks?|checking|instead|must"
    r"|should|offer)\b",
    re.IGNORECASE,
)
_OF_THE_TASK = re.compile(
    r"\bthe (?:user|prompt)\b|\bjson\b"
    r"|\b\d+(?: ?(?:-|\u2013|to|and) ?\d+)? (?:characters|words)\b"
    r"|^\W*(?:task|labels?|constraints?|requirements?|topics?|format|output|tone|goal|draft|role"
    r"|length|language|style|emotion|input|context|idea)s?\b\W*:|[:\uff1a][\s*]*$",
    re.IGNORECASE,
)
_TEXTS = re.compile(
    r"\b(?:texts?|sentences?|messages?|posts?|tweets?|examples?|frases|textos|phrases|textes|frasi"
    r"|texte|s\u00e4tze|beispiele|zinnen)\b|\u53e5\u5b50|\u6587\u672c|\u4f8b\u5b50|\u4f8b\u6587",
    re.IGNORECASE,
)
_ALL_OF_THEM = re.compile(
    r"(?:these|each|all|both)\b.{0,40}\b(?:texts?|sentences?|examples?)\b", re.IGNORECASE
)
_LONGEST_FAREWELL = 300
_HEADING = re.compile(r"#{1,6} .{1,100}|\*\*[^*]{1,100}\*\*:?")


def is_phrase(text: str) -> bool:
    """Tell if a text has as many words as a sentence takes at least."""
    return len(words_of(text)) >= _FEWEST_WORDS


def refuses(answer: str) -> bool:
    """Tell if an answer that holds no text begins as refusals do, in one of many languages.

    A word of regret alone refuses nothing, and a text about what somebody cannot do may begin in
    the same way.
    """
    beginning = " ".join(answer.strip()[: 2 * _BEGINNING].split())[:_BEGINNING]
    return is_phrase(beginning) and _has("refusals", beginning)


def declines(text: str) -> bool:
    """Tell if a text begins as refusals do, and speaks of the help that is refused."""
    return refuses(text) and _has("help", text)


def announces(line: str, *, is_whole: bool = True) -> bool:
    """Tell if a line is a heading, or ends in a colon and comes before texts.

    What comes before a refusal's offers or a plan's points does not.

    Args:
        line: The first line of an answer.
        is_whole: False if the answer was cut off, as thoughts often are: then it must say that here
            they are.
    """
    line = line.strip()
    if refuses(line):
        return False
    if _HEADING.fullmatch(line):
        return not plans(line)
    if not line.endswith((":", "\uff1a")) or len(line) > _LONGEST_PREAMBLE:
        return False
    return not plans(line) and (is_whole or _has("here", line))


def presents(line: str) -> bool:
    """Tell if a line says that here it comes, as LLMs do before texts."""
    return len(line) <= _LONGEST_PREAMBLE and _has("here", line)


def presents_texts(line: str) -> bool:
    """Tell if a line says that here are the texts, and calls them so."""
    return presents(line) and _TEXTS.search(line) is not None


def takes_leave(line: str) -> bool:
    """Tell if a line begins as those do that LLMs write behind the texts."""
    line = line.strip()
    begins = _phrases("farewell").match(_folded(line)) or _ALL_OF_THEM.match(line)
    return len(line) <= _LONGEST_FAREWELL and begins is not None


def plans(line: str) -> bool:
    """Tell if a line of an answer speaks of what is to be done, and not of what is done."""
    if _PLANS.search(line):
        return True
    return _MAY_PLAN.search(line) is not None and not _has("here", line)


def speaks_of_the_task(line: str) -> bool:
    """Tell if a line of an answer is a point of a plan, or leads to what comes after it."""
    return _OF_THE_TASK.search(line) is not None


def _has(name: str, text: str) -> bool:
    """Tell if a text has a phrase of a file of `phrases/`, at the beginning of a word."""
    return _phrases(name).search(_folded(text)) is not None


@cache
def _phrases(name: str) -> re.Pattern[str]:
    file = resources.files("components.generate.answers") / "phrases" / f"{name}.txt"
    lines = _folded(file.read_text(encoding="utf-8")).splitlines()
    phrases = [line for line in lines if line and not line.startswith("#")]
    return re.compile("|".join(map(_pattern, phrases)))


def _pattern(phrase: str) -> str:
    gapped = ".{0,60}".join(map(re.escape, phrase.split(_GAP)))
    # Elsewhere words follow each other without a space, or have an article before them.
    return rf"\b{gapped}" if phrase[0] < _BEYOND_CYRILLIC else gapped


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
