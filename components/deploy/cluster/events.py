"""Warnings of the cluster about an object."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FINAL = {"ServerlessModeRejected"}
"""Reasons for which KServe does not try again. It retries after any other, InternalError included.

Source: InferenceServiceReconciler.Reconcile in kserve/kserve, where it returns a TerminalError
"""


@dataclass(frozen=True)
class Event:
    """A warning about an object.

    Args:
        uid: Identity of the event.
        count: How often it has happened by now.
        kind: Kind of the object.
        reason: A word for the program.
        message: Words for people.
    """

    uid: str
    count: int
    kind: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"

    @property
    def is_final(self) -> bool:
        """True if KServe says by it that it will not go on with a service."""
        return self.kind == "InferenceService" and self.reason in _FINAL


def read_event(content: Mapping[str, Any]) -> Event:
    """Read an event as the server returned it."""
    return Event(
        str(content["metadata"].get("uid", "")),
        int(content.get("count") or 1),
        str((content.get("involvedObject") or {}).get("kind", "")),
        str(content.get("reason", "")),
        str(content.get("message", "")),
    )
