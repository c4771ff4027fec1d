"""Lists of texts in an answer that is no JSON: numbered, with bullets, or a quoted text a line."""

import re

from components.generate.answers.asides import speaks_of_the_task
from components.generate.answers.bare_quotes import unquoted
from components.generate.answers.frame import Body

_NUMBER = r"(?:\*\*)?\(?\d{1,3}(?:[.):]|\.?\*\*)(?:\*\*)?[ \t]+"
_ITEM = re.compile(
    rf"[ \t]*(?:(?:(?:text|sentence|example) )?{_NUMBER}|\d{{1,3}}[\u3001\uff0e]\s*"
    r"|[-*+\u2022\u2013][ \t]+)([^\s\[{].*)",
    re.IGNORECASE,
)
_QUOTED_LINE = re.compile(r"[ \t]*((?:\"[^\"]+\"|\u201c[^\u201c\u201d]+\u201d),?)[ \t]*")
_REMARKED = re.compile(
    r"(\"[^\"]+\"|\u201c[^\u201c\u201d]+\u201d)(?:\s*\(.*\)|\s+[-\u2013\u2014] .*)?"
)


def listed(body: Body) -> list[str]:
    """Split a list of at least two items, if an answer is nothing else and no list of a plan."""
    for pattern in (_ITEM, _QUOTED_LINE):
        found = [match[1].strip() for line in body.lines if (match := pattern.fullmatch(line))]
        if len(found) == len(body.lines) > 1:
            whole = found if body.is_whole else found[:-1]
            remarked = list(filter(None, map(_REMARKED.fullmatch, whole)))
            if len(remarked) == len(whole):
                whole = [match[1] for match in remarked]
            return [] if any(map(speaks_of_the_task, whole)) else list(map(unquoted, whole))
    return []
