"""What an API server answers instead of what was asked, in words for the user."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from components.errors import ClusterError


class ConflictError(ClusterError):
    """Another client has changed the object since it was read, or has already created it."""


class ForbiddenError(ClusterError):
    """The account lacks the right."""


@contextmanager
def explained(request: str) -> Iterator[None]:
    """Turn the errors of Kubernetes' client in a block into those of a step.

    Raises:
        ClusterError: If the server refuses the request or does not answer.
    """
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except HTTPError as error:
        fix = "Check that the API server is up and reachable"
        raise ClusterError(request, f"the API server does not answer: {error}", fix) from error
    except ApiException as error:
        raise _refusal(request, error) from error


def is_missing(error: ClusterError, *, kind_known: bool) -> bool:
    """Tell whether a request failed since there is no such thing.

    Args:
        error: The failure.
        kind_known: True to tell a missing object from a kind that the server does not know, whose
            answer is 404 as well, but not a Status object.
    """
    status = getattr(error.__cause__, "status", None)
    return status == 404 and (bool(_details(error.__cause__)) or not kind_known)


def _refusal(request: str, error: Any) -> ClusterError:
    answer = _details(error)
    message = answer.get("message") or f"{error.status} {error.reason}: {error.body!r:.200}"
    causes = (answer.get("details") or {}).get("causes") or []
    if any(cause.get("reason") == "FieldManagerConflict" for cause in causes):
        fix = "Let that manager give up the fields, or make its change in this project"
        return ClusterError(request, message, fix)
    if error.status == 409:
        return ConflictError(request, message, "Try again")
    if error.status == 403:
        return ForbiddenError(request, message, "Give the account the deployer's role")
    fixes = {
        401: "Log in again",
        404: "Install KServe, and check the namespace",
        422: "Correct the manifest",
    }
    return ClusterError(request, message, fixes.get(error.status, "See the API server's log"))


def _details(error: Any) -> dict[str, Any]:
    try:
        answer = json.loads(error.body)
    except (TypeError, ValueError):
        return {}
    return answer if isinstance(answer, dict) and answer.get("kind") == "Status" else {}
