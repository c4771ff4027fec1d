"""Remarks of a step that succeeded: what it could not do, for whoever says how the run ended.

KFP hands an exit handler nothing of the steps before it, so a remark travels in the step's log.
"""

import re

_MARK = "not done: "
_LINE = re.compile(rf"(?P<step>[a-z]+): {_MARK}(?P<text>.+)")


def remark(step: str, text: str) -> str:
    """Build the line of the log that says what a step could not do."""
    return f"{step}: {_MARK}{' '.join(text.split())}"


def remarks_in(log: str) -> list[str]:
    """List the remarks in the log of a step, each once, in their order."""
    found = (_LINE.fullmatch(line.strip()) for line in log.splitlines())
    return list(dict.fromkeys(f"{each['step']}: {each['text']}" for each in found if each))
