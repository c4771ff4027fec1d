"""The troubles that keep a pod from working, in the words of the cluster.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

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
    """List everything that keeps a pod from working."""
    name = pod["metadata"]["name"]
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
    words = [f"container {container['name']}", reason, waiting.get("message", "")]
    if failed:
        message = str(ended.get("message", "")).strip()
        words.append(f"(ended with status {ended['exitCode']} {ended.get('reason')} {message})")
    yield " ".join(filter(None, words)), reason in _HOPELESS
