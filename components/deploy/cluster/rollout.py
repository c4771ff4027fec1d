"""Waits until a service really serves what was asked for.

KServe's own Ready is not enough: after a change it stays True for a while, for the state before.
The pods tell which revision it is about, since they carry the label of what they serve:

- in Knative mode the newest revision must be one of the pods with that label, and ready, and have
  its share of the traffic;
- in Standard mode, which has no revisions, all pods must carry the label.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from components.deploy.cluster.api import SERVICES, Cluster
from components.deploy.cluster.lease import LEASE_SECONDS, DeployLease
from components.deploy.cluster.service import ServiceStatus, read_status
from components.deploy.inference_service import (
    RELEASE,
    STANDARD,
    Manifest,
    is_stopped,
    mode_of,
    release_of,
)
from components.errors import RolloutError

_RENEW_SECONDS = LEASE_SECONDS / 6
_SERVICE = "serving.kserve.io/inferenceservice"
_REVISION = "serving.knative.dev/revision"
_EVENTS = 3
# Reasons that the cluster retries, and that may pass, are left out.
_HOPELESS = {
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
}
_log = logging.getLogger(__name__)


class _NotYetError(Exception):
    """The goal is not reached, but may still be."""


@dataclass(frozen=True)
class Patience:
    """The patience with which a rollout is watched.

    Args:
        poll_seconds: Time between two reads of the service.
        stuck_seconds: Time for which a failure must be reported before it counts, since the
            status may still report an earlier one.
    """

    poll_seconds: float = 1.0
    stuck_seconds: float = 15.0


DEFAULT_PATIENCE = Patience()


@dataclass(frozen=True)
class Trouble:
    """Something that keeps a pod from working.

    Args:
        text: The trouble, with the pod's name.
        hopeless: True if waiting any longer is pointless.
    """

    text: str
    hopeless: bool


@dataclass(frozen=True)
class Goal:
    """The state that a service should reach.

    Args:
        manifest: The manifest that was applied.
        percent: Share of the traffic that its newest revision should have; Knative only.
    """

    manifest: Manifest
    percent: int = 100

    def reached(self, status: ServiceStatus, pods: Sequence[dict[str, Any]]) -> bool:
        """Tell whether the status and the live pods of the service show the goal."""
        if is_stopped(self.manifest):
            return not pods
        mine, others = self.split(pods)
        if not status.ready or not mine:
            return False
        if mode_of(self.manifest) == STANDARD:
            return not others and status.up_to_date and all(map(is_ready, mine))
        newest = status.created
        revisions = {pod["metadata"]["labels"].get(_REVISION) for pod in mine if is_ready(pod)}
        is_newest = newest in revisions and newest == status.ready_revision
        return is_newest and status.shares.get(newest, 0) == self.percent

    def split(
        self, pods: Sequence[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Divide pods into those that serve the manifest, and the others."""
        wanted = release_of(self.manifest)
        mine = [pod for pod in pods if pod["metadata"]["labels"].get(RELEASE, "") == wanted]
        return mine, [pod for pod in pods if pod not in mine]


def wait_until(
    cluster: Cluster, lease: DeployLease, goal: Goal, seconds: float, patience: Patience
) -> dict[str, Any]:
    """Wait `seconds` at most for a goal; log progress and renew the lease in the meantime.

    Returns:
        The service as the server returned it then.

    Raises:
        RolloutError: If it takes too long or cannot succeed, with the pods' own reasons.
        LeaseLostError: If another deploy has taken over.
        ClusterError: If the API server refuses requests or stays away.
    """
    poll = _Poll(cluster, lease, goal, patience.stuck_seconds)
    again = Retrying(
        retry=retry_if_exception_type(_NotYetError),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(patience.poll_seconds),
        reraise=True,
    )
    try:
        return again(poll.once)
    except _NotYetError as late:
        raise poll.failure(f"is not in service after {seconds:g} s: {late}") from None


class _Poll:
    """The repeated look at a service."""

    def __init__(
        self, cluster: Cluster, lease: DeployLease, goal: Goal, stuck_seconds: float
    ) -> None:
        self._cluster, self._lease, self._goal = cluster, lease, goal
        self._stuck_seconds = stuck_seconds
        self._name = goal.manifest["metadata"]["name"]
        self._started = self._renewed = time.monotonic()
        self._stuck_since = 0.0
        self._said = ""
        self._troubles: list[Trouble] = []
        self._pods: list[dict[str, Any]] = []

    def once(self) -> dict[str, Any]:
        """Return the service if the goal is reached, else raise."""
        now = time.monotonic()
        if now - self._renewed > _RENEW_SECONDS:
            self._lease.renew()
            self._renewed = now
        service = self._cluster.read(SERVICES, self._name) or {}
        status = read_status(service)
        pods = self._cluster.pods(f"{_SERVICE}={self._name}")
        if self._goal.reached(status, pods):
            return service
        self._pods, _ = self._goal.split(pods)
        self._troubles = [each for pod in self._pods for each in troubles(pod)]
        self._give_up_if_hopeless(status, now)
        self._say(str(status), now)
        raise _NotYetError(str(status))

    def failure(self, rule: str) -> RolloutError:
        """Build the error, with the cluster's messages about the pods."""
        names = [self._name, *(pod["metadata"]["name"] for pod in self._pods)]
        events = [text for name in names for text in self._cluster.warnings(name)[-_EVENTS:]]
        reasons = [each.text for each in self._troubles] + events
        fix = f"Messages of the cluster: {'; '.join(reasons) or 'none'}"
        release = release_of(self._goal.manifest)
        return RolloutError(f"release {release} of service {self._name}", rule, fix)

    def _give_up_if_hopeless(self, status: ServiceStatus, now: float) -> None:
        if any(each.hopeless for each in self._troubles):
            raise self.failure("cannot start")
        if not status.stuck:
            self._stuck_since = 0.0
            return
        self._stuck_since = self._stuck_since or now
        if now - self._stuck_since > self._stuck_seconds:
            raise self.failure(f"cannot load its model: {status.stuck}")

    def _say(self, text: str, now: float) -> None:
        text = "; ".join([text, *(each.text for each in self._troubles)])
        if text != self._said:
            _log.info("deploy: %3.0f s: %s", now - self._started, text)
            self._said = text


def troubles(pod: Mapping[str, Any]) -> list[Trouble]:
    """List everything that keeps a pod from working, in the words of the cluster.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
    """
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
