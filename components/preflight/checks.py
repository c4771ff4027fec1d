"""Running many small checks at once, and not for long."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Thread

from components.errors import InputError

_log = logging.getLogger(__name__)


class NotChecked(Exception):  # noqa: N818 (it is no error)
    """A check cannot be made here; the message says why."""


@dataclass(frozen=True)
class Check:
    """Something to find out.

    Args:
        what: What is looked at, as a noun.
        look: Raises InputError if a run would fail by it, NotChecked if that cannot be told.
    """

    what: str
    look: Callable[[], object]


@dataclass(frozen=True)
class Finding:
    """What came of a check; neither a problem nor a reason against the check is good.

    Args:
        what: What was looked at.
        problem: Thing, rule and fix, in sentences.
        unchecked: Why it could not be checked.
    """

    what: str
    problem: str = ""
    unchecked: str = ""


def run_checks(checks: Sequence[Check], seconds: float) -> list[Finding]:
    """Make all checks at once.

    Args:
        checks: What to find out.
        seconds: How long they may take together; later ones are problems.

    Returns:
        A finding for each check, in their order.
    """
    findings: dict[int, Finding] = {}

    def run(place: int, check: Check) -> None:
        findings[place] = _finding(check)

    # Threads that do not keep the process from ending: client libraries have patience of their own.
    threads = [Thread(target=run, args=each, daemon=True) for each in enumerate(checks)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [_found(findings, place, check, seconds) for place, check in enumerate(checks)]


def _found(findings: Mapping[int, Finding], place: int, check: Check, seconds: float) -> Finding:
    if finding := findings.get(place):
        return finding
    late = f"gave no answer within {seconds:g} s"
    return Finding(check.what, str(InputError(check.what, late, "Check that it can be reached")))


def _finding(check: Check) -> Finding:
    try:
        check.look()
    except InputError as error:
        return Finding(check.what, problem=str(error))
    except NotChecked as reason:
        return Finding(check.what, unchecked=str(reason))
    except Exception as error:  # noqa: BLE001 (the other checks still have something to say)
        _log.exception("preflight: %s", check.what)
        failed = f"cannot be checked: {type(error).__name__}: {error}"
        return Finding(check.what, str(InputError(check.what, failed, "See the step's log")))
    return Finding(check.what)
