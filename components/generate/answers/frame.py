"""What stands around the texts of an answer: a preamble, a code fence, a wrapper, a farewell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from components.generate.answers.asides import announces, plans, refuses, takes_leave

_FENCE = re.compile(r"[ \t]*(?:```|~~~)[ \t]*([\w+-]*)[ \t]*")
_MOST_LINES_AROUND = 2
_LONGEST_LINE_AROUND = 300
_WRAPPER = re.compile(
    r"\s*<(/?)(?:answer|response|output|result|final|final_answer|root|data|document|dataset|list"
    r"|sentences|texts|examples|samples|items)>\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Body:
    """An answer without its frame.

    Args:
        lines: Its lines, but for empty ones.
        preamble: The line before them; empty for none.
        language: What a code fence around them says they are; empty for nothing.
        is_whole: False if the last line may be cut off.
    """

    lines: Sequence[str]
    preamble: str
    language: str
    is_whole: bool

    @property
    def whole_lines(self) -> Sequence[str]:
        """The lines that are not cut off."""
        return self.lines if self.is_whole else self.lines[:-1]


def body_of(text: str, *, is_whole: bool) -> Body | None:
    """Take the frame off an answer.

    Args:
        text: The answer.
        is_whole: False if it was cut off at its end.

    Returns:
        What is in it; None if more is said around a code fence than a preamble and a farewell.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    fences = [place for place, line in enumerate(lines) if _FENCE.fullmatch(line)]
    language = ""
    if fences:
        first, *others = fences
        last = others[0] if others else len(lines)
        before, after = lines[:first], lines[last + 1 :]
        if len(others) > 1 or not is_frame(before, after):
            return None
        found = _FENCE.fullmatch(lines[first])
        language = found[1].lower() if found else ""
        lines, is_whole = lines[first + 1 : last], is_whole or bool(others)
    return _unframed(lines, language, is_whole=is_whole)


def _unframed(lines: Sequence[str], language: str, *, is_whole: bool) -> Body:
    preamble = ""
    if len(lines) > 1 and announces(lines[1], is_whole=False) and is_frame(lines[:1], []):
        # "Sure!" and the like.
        lines = lines[1:]
    if lines and announces(lines[0], is_whole=is_whole):
        preamble, lines = lines[0], lines[1:]
    if lines and takes_leave(lines[-1]):
        lines, is_whole = lines[:-1], True
    if lines and (first := _WRAPPER.fullmatch(lines[0])) and not first[1]:
        lines = lines[1:]
    if lines and (last := _WRAPPER.fullmatch(lines[-1])) and last[1]:
        lines, is_whole = lines[:-1], True
    return Body(lines, preamble, language, is_whole)


def is_frame(before: Sequence[str], after: Sequence[str]) -> bool:
    """Tell if lines before and after texts are a preamble and a farewell, and nothing else."""
    if len(before) > _MOST_LINES_AROUND or len(after) > _MOST_LINES_AROUND:
        return False
    if any(len(line) > _LONGEST_LINE_AROUND for line in (*before, *after)):
        return False
    return not any(refuses(line) or plans(line) for line in before) and not any(map(refuses, after))
