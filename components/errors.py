"""Errors that name the thing, the rule and the fix.

StepError                   every entry point reports it in one line and exits with status 1
├── InputError              what the user gave is wrong: a setting, a file, a row, a right
└── WorkError               the input was right, but the work failed
    ├── ClusterError        the API server refused a request or does not answer
    ├── LeaseError          another deploy of the service is under way, or has taken over
    ├── RolloutError        a service does not come to serve what was asked for
    ├── ServingError        a predictor does not start, does not answer, or answers wrongly
    └── ChampionMovedError  another run has replaced the champion in the meantime

Where code treats a case apart, its module refines one of them: `storage` NoPackageError (an
InputError); `api_server` ConflictError, ForbiddenError and UnansweredError (ClusterError); `deploy`
LeaseLostError (LeaseError) and NotAnsweringError (ServingError).
"""

import math
from collections.abc import Iterable
from urllib.parse import urlsplit


class StepError(Exception):
    """A reason why a step cannot continue, in words for the user.

    Args:
        thing: What is wrong: a setting, file, row or service, with its value or place.
        rule: The rule it breaks, as a clause without a full stop.
        fix: What the user can do about it, as a clause without a full stop.
    """

    def __init__(self, thing: str, rule: str, fix: str) -> None:
        super().__init__(f"{thing}: {rule.rstrip('.')}. {fix.rstrip('.')}.")
        self.thing, self.rule, self.fix = thing, rule, fix


class InputError(StepError, ValueError):
    """Something that the user gave cannot be used; no work was spent on it."""


class WorkError(StepError, RuntimeError):
    """The work failed, although the input was right; another try may succeed."""


class ClusterError(WorkError):
    """The Kubernetes API server refused a request or does not answer."""


class LeaseError(WorkError):
    """Another deploy of the service is under way, or has taken over."""


class RolloutError(WorkError):
    """A service does not come to serve what was asked for."""


class ServingError(WorkError):
    """A predictor does not start, does not answer, or answers wrongly."""


class ChampionMovedError(WorkError):
    """Another run has replaced the champion since it was read."""


def listed(problems: Iterable[object]) -> str:
    """Number several problems, as the rule of one error."""
    return " ".join(f"({number}) {each}" for number, each in enumerate(problems, start=1))


def require_between(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuse a number outside [low, high], NaN included.

    Raises:
        InputError: If the value is out of range.
    """
    if not low <= value <= high:
        allowed = f"at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
        raise InputError(f"{name}={value!r}", f"must be {allowed}", "Choose a number in this range")


def require_one_of(name: str, value: str, allowed: Iterable[str]) -> None:
    """Refuse a word that is not on the list.

    Raises:
        InputError: If the value is not allowed.
    """
    names = sorted(allowed)
    if value not in names:
        listed = ", ".join(each or "(empty)" for each in names)
        raise InputError(f"{name}={value!r}", "is not known", f"Use one of: {listed}")


def require_http_url(name: str, value: str) -> None:
    """Refuse what is not the URL of an HTTP server, with a host and a port that there can be.

    Raises:
        InputError: If it is something else.
    """
    if not _is_http_url(value):
        rule = "is not the URL of an HTTP server"
        fix = "Write it whole, like http://host:8080/path or https://host"
        raise InputError(f"{name}={value!r}", rule, fix)


def _is_http_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        # Both raise an error for what there cannot be.
        host, port = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:
        return False
    is_plain = value.isprintable() and " " not in value
    return parts.scheme in {"http", "https"} and bool(host) and port != 0 and is_plain
