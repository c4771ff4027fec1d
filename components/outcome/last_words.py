"""The end of a pod's log: what went wrong, in the words of the step or of KFP."""

import re
from collections.abc import Sequence
from itertools import takewhile

from components.outcome.workflow import DRIVER, Failure

_LINES = 10
_LENGTH = 2000
_RAISED = re.compile(r"(?P<kind>(?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit)): (?P<text>.+)")
_OURS = re.compile(r"components\.(\w+\.)+\w+")
# https://github.com/golang/glog, in which KFP's driver and launcher write.
_GLOG = re.compile(r"(?P<level>[IWEF])\d{4} [\d:.]+ +\d+ [\w.-]+:\d+\] (?P<text>.*)")
_ARGO = re.compile(r'.*\bargo"?[=:]true.*|Error: exit status \d+')
_EXECUTOR = "[KFP Executor "
# The launcher's line once the step's own process has failed.
_STEP_ENDED = re.compile(r".*Component failed to execute.*: (?P<how>exit status \d+|signal: .+)")
# It says nothing that the log does not say better.
_PLAIN = re.compile(r"(main: )?Error \(exit code \d+\)")


def told(failure: Failure, log: str) -> str:
    """Say in a sentence what failed, and why.

    Args:
        failure: What failed.
        log: Log of its pod; may be empty.
    """
    message = "" if _PLAIN.fullmatch(failure.message) else failure.message
    lines = _lines(log)
    kfp = _of_kfp(lines)
    if failure.part == DRIVER:
        words = kfp or _last(lines)
        return _sentence(f"{failure.step}: KFP's driver failed", message, words)
    if not lines:
        return _sentence(f"{failure.step} failed without a log", failure.message)
    if own := _of_step(lines):
        return _sentence(f"{failure.step} failed", message, own)
    if kfp:
        return _sentence(f"{failure.step}: KFP's launcher failed", message, kfp)
    # It was killed, and the launcher with it.
    return _sentence(f"{failure.step} failed", failure.message, _last(_written(lines)))


def _of_step(lines: Sequence[str]) -> str:
    """The exception of the step, else how its process ended and what it wrote last."""
    if said := _raised(lines):
        return said
    for place, line in enumerate(lines):
        if ended := _STEP_ENDED.fullmatch(line):
            return f"{ended['how']}\n{_last(_written(lines[:place]))}".rstrip()
    return ""


def _written(lines: Sequence[str]) -> Sequence[str]:
    """What the step has written, after the inputs that KFP's executor repeats at its start."""
    places = [place for place, line in enumerate(lines) if line.startswith(_EXECUTOR)]
    rest = lines[places[-1] + 1 :] if places else lines
    if "}" in rest and rest[0] == "{":
        rest = rest[rest.index("}") + 1 :]
    return [line for line in rest if not _GLOG.fullmatch(line)]


def _raised(lines: Sequence[str]) -> str:
    """Message of the last exception of Python, all its lines."""
    found = [(place, _RAISED.fullmatch(line)) for place, line in enumerate(lines)]
    raised = [(place, match) for place, match in found if match]
    if not raised:
        return ""
    place, match = raised[-1]
    first = match["text"] if _OURS.fullmatch(match["kind"]) else match[0]
    return "\n".join([first, *takewhile(lambda line: not _GLOG.match(line), lines[place + 1 :])])


def _of_kfp(lines: Sequence[str]) -> str:
    """The last error of KFP's driver or launcher."""
    said = [found for line in lines if (found := _GLOG.fullmatch(line)) and found["level"] in "EF"]
    return said[-1]["text"] if said else ""


def _last(lines: Sequence[str]) -> str:
    return "\n".join(lines[-_LINES:])


def _lines(log: str) -> list[str]:
    lines = (line.rstrip() for line in log.splitlines())
    return [line for line in lines if line and not _ARGO.fullmatch(line)]


def _sentence(*parts: str) -> str:
    text = ": ".join(part for part in parts if part)
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]} ..."
