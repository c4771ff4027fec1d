"""The pods of a service: whether they are ready, and what keeps them from working."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Reasons that the cluster retries, and that may pass, are left out.
_HOPELESS = {
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
}
_LINE_CHARACTERS = 200


@dataclass(frozen=True)
class Trouble:
    """Something that keeps a pod from working.

    Args:
        text: The trouble, with the pod's name.
        hopeless: True if waiting any longer is pointless.
    """

    text: str
    hopeless: bool


def troubles(pod: Mapping[str, Any]) -> list[Trouble]:
    """List everything that keeps a pod from working, in the words of the cluster.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
    """
    name = name_of(pod)
    status = pod.get("status") or {}
    found = [Trouble(f"pod {name}: {text}", False) for text in _unscheduled(status)]
    for key in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(key) or []:
            found += [Trouble(f"pod {name}: {text}", bad) for text, bad in _waiting(container)]
    return found


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod accepts requests."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def name_of(pod: Mapping[str, Any]) -> str:
    """Read the name of a pod."""
    return str(pod["metadata"].get("name", ""))


def labels_of(pod: Mapping[str, Any]) -> Mapping[str, str]:
    """Read the labels of a pod."""
    return pod["metadata"].get("labels") or {}


def last_line(message: str | None) -> str:
    """Take the last line of a message, 200 characters at most: in a log it names the error."""
    lines = (message or "").strip().splitlines()
    return lines[-1].strip()[-_LINE_CHARACTERS:] if lines else ""


def _unscheduled(status: Mapping[str, Any]) -> Iterator[str]:
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield f"{condition.get('reason')}: {condition.get('message')}"


def _waiting(container: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    state = container.get("state") or {}
    ended = state.get("terminated") or (container.get("lastState") or {}).get("terminated") or {}
    failed = bool(ended.get("exitCode"))
    waiting = state.get("waiting") or {}
    reason = waiting.get("reason", "")
    if not failed and reason in {"", "ContainerCreating", "PodInitializing"}:
        return
    words = [f"container {container['name']}", reason, last_line(waiting.get("message"))]
    if failed:
        words.append("is tried again" if "running" in state else "")
        cause = [f"ended with status {ended['exitCode']}", ended.get("reason", "")]
        words.append(f"({' '.join(filter(None, [*cause, last_line(ended.get('message'))]))})")
    yield " ".join(filter(None, words)), reason in _HOPELESS
