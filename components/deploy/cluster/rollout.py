"""Waits until a service really serves what was asked for.

KServe's own Ready is not enough: after a change it stays True for a while, about what was there
before. The pods tell which revision is meant, since they carry the label of what they serve:

- in Knative mode the newest revision must be one of the pods with that label, and ready, and have
  its share of the traffic;
- in Standard mode, which has no revisions, all pods must carry the label.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from components.deploy.cluster.api import SERVICES, Cluster
from components.deploy.cluster.lease import LEASE_SECONDS, DeployLease
from components.deploy.cluster.pods import Trouble, is_ready, troubles
from components.deploy.cluster.status import ServiceStatus, read_status
from components.deploy.inference_service import (
    RELEASE,
    STANDARD,
    Manifest,
    is_stopped,
    mode_of,
    release_of,
)
from components.errors import InputError

_POLL_SECONDS = 1.0
_RENEW_SECONDS = LEASE_SECONDS / 6
# A status may still speak of a failure before; a new one stays.
_STUCK_SECONDS = 15.0
_SERVICE = "serving.kserve.io/inferenceservice"
_REVISION = "serving.knative.dev/revision"
_EVENTS = 3
_log = logging.getLogger(__name__)


class RolloutFailed(InputError):  # noqa: N818 (it says what happened)
    """A service does not come to serve what was asked for."""


class _NotYet(Exception):  # noqa: N818 (it says what happened)
    """It may still come right."""


@dataclass(frozen=True)
class Goal:
    """What a service should serve.

    Args:
        manifest: What was applied.
        percent: Share of the traffic that its newest revision should have; Knative only.
    """

    manifest: Manifest
    percent: int = 100

    def reached(self, status: ServiceStatus, pods: Sequence[dict[str, Any]]) -> bool:
        """Whether the status and the live pods of the service say that it is so."""
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
        """The pods that serve the manifest, and the others."""
        wanted = release_of(self.manifest)
        mine = [pod for pod in pods if pod["metadata"]["labels"].get(RELEASE, "") == wanted]
        return mine, [pod for pod in pods if pod not in mine]


def wait_until(cluster: Cluster, lease: DeployLease, goal: Goal, seconds: float) -> dict[str, Any]:
    """Wait until a goal is reached, with progress in the log; the lease is kept meanwhile.

    Args:
        cluster: Where the service is.
        lease: The lease of the service.
        goal: What to wait for.
        seconds: How long it may take.

    Returns:
        The service as the server gives it then.

    Raises:
        RolloutFailed: If it takes too long or cannot succeed, with the pods' own reasons.
        LeaseLost: If another deploy has taken over.
        ClusterError: If the API server refuses requests or stays away.
    """
    poll = _Poll(cluster, lease, goal)
    again = Retrying(
        retry=retry_if_exception_type(_NotYet),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(_POLL_SECONDS),
        reraise=True,
    )
    try:
        return again(poll.once)
    except _NotYet as late:
        raise poll.failure(f"is not there after {seconds:g} s: {late}") from None


class _Poll:
    """Looks at a service again and again."""

    def __init__(self, cluster: Cluster, lease: DeployLease, goal: Goal) -> None:
        self._cluster, self._lease, self._goal = cluster, lease, goal
        self._name = goal.manifest["metadata"]["name"]
        self._started = self._renewed = time.monotonic()
        self._stuck_since = 0.0
        self._said = ""
        self._troubles: list[Trouble] = []
        self._pods: list[dict[str, Any]] = []

    def once(self) -> dict[str, Any]:
        """The service, if the goal is reached."""
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
        raise _NotYet(str(status))

    def failure(self, rule: str) -> RolloutFailed:
        """The error, with what the cluster says of the pods."""
        names = [self._name, *(pod["metadata"]["name"] for pod in self._pods)]
        events = [text for name in names for text in self._cluster.warnings(name)[-_EVENTS:]]
        reasons = [each.text for each in self._troubles] + events
        fix = f"What the cluster says: {'; '.join(reasons) or 'nothing'}"
        release = release_of(self._goal.manifest)
        return RolloutFailed(f"release {release} of service {self._name}", rule, fix)

    def _give_up_if_hopeless(self, status: ServiceStatus, now: float) -> None:
        if any(each.hopeless for each in self._troubles):
            raise self.failure("cannot start")
        if not status.stuck:
            self._stuck_since = 0.0
            return
        self._stuck_since = self._stuck_since or now
        if now - self._stuck_since > _STUCK_SECONDS:
            raise self.failure(f"cannot load its model: {status.stuck}")

    def _say(self, text: str, now: float) -> None:
        text = "; ".join([text, *(each.text for each in self._troubles)])
        if text != self._said:
            _log.info("deploy: %3.0f s: %s", now - self._started, text)
            self._said = text
