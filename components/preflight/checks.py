"""Running many small checks at once, within a time limit."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Thread

from components.errors import InputError, StepError

_log = logging.getLogger(__name__)


class NotCheckedError(Exception):
    """A check cannot be made here; the message says why."""


@dataclass(frozen=True)
class Check:
    """A question about the run.

    Args:
        what: The thing that is checked, as a noun.
        look: Raises a StepError if a run would fail by it, NotCheckedError if that cannot be known.
    """

    what: str
    look: Callable[[], object]


@dataclass(frozen=True)
class Finding:
    """The result of a check; without a problem or a reason not to check, all is well.

    Args:
        what: The thing that was checked.
        problem: Thing, rule and fix, in sentences.
        unchecked: Why it could not be checked.
    """

    what: str
    problem: str = ""
    unchecked: str = ""


def run_checks(checks: Sequence[Check], seconds: float) -> list[Finding]:
    """Make all checks at once.

    Args:
        checks: The questions.
        seconds: Time limit for all of them; one that takes longer is a problem.

    Returns:
        A finding for each check, in their order.
    """
    findings: dict[int, Finding] = {}

    def run(place: int, check: Check) -> None:
        findings[place] = _finding(check)

    # Daemons, which do not keep the process alive: client libraries may wait for long.
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
    except StepError as error:
        return Finding(check.what, problem=str(error))
    except NotCheckedError as reason:
        return Finding(check.what, unchecked=str(reason))
    except Exception as error:  # noqa: BLE001 (the other checks still have something to say)
        _log.exception("preflight: %s", check.what)
        failed = f"cannot be checked: {type(error).__name__}: {error}"
        return Finding(check.what, str(InputError(check.what, failed, "See the step's log")))
    return Finding(check.what)
