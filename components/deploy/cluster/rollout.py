"""Waits until a service really serves what was asked for.

KServe's own Ready is not enough: after a change it stays True for a while, for the state before.
The pods tell which revision it is about, since they carry the label of what they serve:

- in Knative mode the newest revision must be one of the pods with that label, and ready, and have
  its share of the traffic;
- in Standard mode, which has no revisions, all pods must carry the label, or at first those of a
  second predictor, the candidate.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from components.deploy.cluster.api import SERVICES, Cluster
from components.deploy.cluster.events import Event
from components.deploy.cluster.lease import LEASE_SECONDS, DeployLease
from components.deploy.cluster.pods import Trouble, is_ready, labels_of, name_of, troubles
from components.deploy.cluster.service import ServiceStatus, read_status
from components.deploy.inference_service import (
    RELEASE,
    STANDARD,
    Manifest,
    mode_of,
    release_of,
)
from components.errors import RolloutError

_RENEW_SECONDS = LEASE_SECONDS / 6
_SERVICE = "serving.kserve.io/inferenceservice"
_REVISION = "serving.knative.dev/revision"
_EVENTS = 3
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
class Goal:
    """The state that a service should reach.

    Args:
        manifest: The manifest that was applied.
        percent: Share of the traffic that it should have; less than 100 in Standard mode for that
            of the candidate.
        known: The warnings about the service that are older than the goal.
        was_there: True if the service was that of the manifest before. Then the status cannot be
            about another one, and in Knative mode there may be no pod, since nobody asks.
    """

    manifest: Manifest
    percent: int = 100
    known: Sequence[Event] = ()
    was_there: bool = False

    def reached(self, status: ServiceStatus, pods: Sequence[dict[str, Any]]) -> bool:
        """Tell whether the status and the live pods of the service show the goal."""
        mine, others = self.split(pods)
        if mode_of(self.manifest) == STANDARD:
            all_ready = status.ready and bool(mine) and all(map(is_ready, mine))
            if self.percent < 100:
                return all_ready and status.has_candidate
            return all_ready and not others and status.up_to_date
        newest = status.created
        revisions = {labels_of(pod).get(_REVISION) for pod in mine if is_ready(pod)}
        is_shown = newest in revisions or (self.was_there and not pods)
        is_newest = status.ready and is_shown and newest == status.ready_revision
        return is_newest and status.shares.get(newest, 0) == self.percent

    def split(
        self, pods: Sequence[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Divide pods into those that serve the manifest, and the others."""
        wanted = release_of(self.manifest)
        mine = [pod for pod in pods if labels_of(pod).get(RELEASE, "") == wanted]
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
    try:
        return _polling(seconds, patience)(poll.once)
    except _NotYetError as late:
        raise poll.failure(f"is not in service after {seconds:g} s: {late}") from None


def wait_until_gone(
    cluster: Cluster, lease: DeployLease, name: str, seconds: float, patience: Patience
) -> None:
    """Wait `seconds` at most until a deleted service and its pods are gone.

    Raises:
        RolloutError: If it takes too long.
        LeaseLostError: If another deploy has taken over.
        ClusterError: If the API server refuses requests or stays away.
    """
    heartbeat = _Heartbeat(lease)

    def look() -> None:
        heartbeat.beat()
        if cluster.read(SERVICES, name) or cluster.pods(f"{_SERVICE}={name}"):
            raise _NotYetError

    try:
        _polling(seconds, patience)(look)
    except _NotYetError:
        fix = "Look at its finalizers with `kubectl get inferenceservice -o yaml`"
        raise RolloutError(f"service {name}", f"is not gone after {seconds:g} s", fix) from None


class _Heartbeat:
    """Renews a lease now and then."""

    def __init__(self, lease: DeployLease) -> None:
        self._lease, self._renewed = lease, time.monotonic()

    def beat(self) -> None:
        """Renew the lease if it is time."""
        now = time.monotonic()
        if now - self._renewed > _RENEW_SECONDS:
            self._lease.renew()
            self._renewed = now


class _Poll:
    """The repeated look at a service."""

    def __init__(
        self, cluster: Cluster, lease: DeployLease, goal: Goal, stuck_seconds: float
    ) -> None:
        self._cluster, self._goal, self._heartbeat = cluster, goal, _Heartbeat(lease)
        self._stuck_seconds = stuck_seconds
        self._name = goal.manifest["metadata"]["name"]
        self._started = time.monotonic()
        self._stuck_since = 0.0
        self._said = ""
        self._troubles: list[Trouble] = []
        self._pods: list[dict[str, Any]] = []
        self._events: list[Event] = []

    def once(self) -> dict[str, Any]:
        """Return the service if the goal is reached, else raise."""
        self._heartbeat.beat()
        now = time.monotonic()
        service = self._cluster.read(SERVICES, self._name) or {}
        status = read_status(service)
        pods = self._cluster.pods(f"{_SERVICE}={self._name}")
        if self._goal.reached(status, pods):
            self._troubles, self._events = [], []
            self._say(str(status), now)
            return service
        self._pods, _ = self._goal.split(pods)
        self._troubles = [each for pod in self._pods for each in troubles(pod)]
        warnings = self._cluster.warnings(self._name)
        self._events = [each for each in warnings if each not in self._goal.known]
        self._give_up_if_hopeless(status, now)
        self._say(str(status), now)
        raise _NotYetError(str(status))

    def failure(self, rule: str) -> RolloutError:
        """Build the error, with the cluster's messages about the pods."""
        reasons = [each.text for each in self._troubles]
        reasons += map(str, self._events[-_EVENTS:])
        for pod in self._pods:
            reasons += map(str, self._cluster.warnings(name_of(pod))[-_EVENTS:])
        fix = f"Messages of the cluster: {'; '.join(reasons) or 'none'}"
        release = release_of(self._goal.manifest)
        return RolloutError(f"release {release} of service {self._name}", rule, fix)

    def _give_up_if_hopeless(self, status: ServiceStatus, now: float) -> None:
        if any(each.hopeless for each in self._troubles):
            raise self.failure("cannot start")
        if any(each.is_final for each in self._events):
            raise self.failure("is refused by KServe")
        if not status.stuck:
            self._stuck_since = 0.0
            return
        self._stuck_since = self._stuck_since or now
        if now - self._stuck_since > self._stuck_seconds:
            raise self.failure(f"cannot load its model: {status.stuck}")

    def _say(self, text: str, now: float) -> None:
        words = [text, *(each.text for each in self._troubles), *map(str, self._events[-1:])]
        text = "; ".join(words)
        if text != self._said:
            _log.info("deploy: %3.0f s: %s", now - self._started, text)
            self._said = text


def _polling(seconds: float, patience: Patience) -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(_NotYetError),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(patience.poll_seconds),
        reraise=True,
    )
