"""One deploy of a service at a time, and a note of what it is about that outlives it.

The lease is a `coordination.k8s.io` Lease named `<service>-deploy`. Whoever holds it writes down,
in an annotation, what was in service before it changes anything. If it is killed, the next holder
finds the note and puts that back first. The note does not stand on the InferenceService itself,
since KServe gives that one's annotations to the pods, and would start new ones at each change.

Source: https://kubernetes.io/docs/concepts/architecture/leases/
"""

import json
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from components.deploy.cluster.api import LEASES, Cluster, ClusterError, Conflict
from components.deploy.inference_service import Manifest
from components.errors import InputError

LEASE_SECONDS = 180
"""How long a lease is respected after its holder was last heard of."""

_JOURNAL = "emotion-pipeline/journal"
_HOLDING = "emotion-pipeline/holding"
_CONFLICTS = 10
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Journal:
    """What is being done to a service.

    Args:
        candidate: What is being brought into service; None if nothing is under way.
        recorded: What was in service when that began; None if nothing was.
        previous: What was in service before that which is now; None if nothing was.
        tried: Whether the candidate has all of the traffic, and has been tried out there.
        registry: Where the candidate becomes the champion then; may be empty.
    """

    candidate: Manifest | None = None
    recorded: Manifest | None = None
    previous: Manifest | None = None
    tried: bool = False
    registry: str = ""


class LeaseHeld(InputError):  # noqa: N818 (it says what happened)
    """Another deploy of the service is under way."""


class LeaseLost(InputError):  # noqa: N818 (it says what happened)
    """Another deploy has taken over, so this one may not change anything any more."""


class DeployLease:
    """A lease that this process holds.

    Args:
        cluster: Where it is.
        content: The lease as the server gave it.
    """

    def __init__(self, cluster: Cluster, content: dict[str, Any]) -> None:
        self._cluster, self._content = cluster, content
        self._holding = _holding(content)

    @property
    def journal(self) -> Journal:
        """What the last holder noted."""
        return read_journal(self._content)

    def note(self, journal: Journal) -> None:
        """Write down what is being done, before it is done.

        Raises:
            LeaseLost: If another process holds the lease now.
            ClusterError: If it cannot be written.
        """
        self._renew({_JOURNAL: json.dumps(asdict(journal))})

    def renew(self) -> None:
        """Say that the holder is alive, and make sure that it still is the holder.

        Raises:
            LeaseLost: If another process holds the lease now.
            ClusterError: If it cannot be written.
        """
        self._renew({})

    def give_up(self) -> None:
        """Let the next one in; the journal stays."""
        self._renew({}, holder="")

    def _renew(self, notes: dict[str, str], holder: str | None = None) -> None:
        again = Retrying(
            retry=retry_if_exception_type(Conflict),
            stop=stop_after_attempt(_CONFLICTS),
            wait=wait_random_exponential(0.05, 2),
            before=lambda state: self._read_again() if state.attempt_number > 1 else None,
            reraise=True,
        )
        again(self._write, notes, holder)

    def _write(self, notes: dict[str, str], holder: str | None) -> None:
        who = self._content["spec"]["holderIdentity"] if holder is None else holder
        changed = _held(self._content, who, notes)
        self._content = self._cluster.replace(LEASES, changed)

    def _read_again(self) -> None:
        # A request whose answer was lost is sent again, and then meets what it has written itself.
        name = self._content["metadata"]["name"]
        present = self._cluster.read(LEASES, name)
        if present is None or _holding(present) != self._holding:
            rule = "is no longer held by this deploy"
            raise LeaseLost(f"lease {name}", rule, "See what the other deploy has done")
        self._content = present


@contextmanager
def deploy_lease(cluster: Cluster, service_name: str, holder: str) -> Iterator[DeployLease]:
    """Hold the lease of a service for the length of a block.

    A holder takes over from an earlier process of the same name, as a step that is retried does.

    Args:
        cluster: Where the service is.
        service_name: Name of the service.
        holder: Who wants it: the id of the run.

    Raises:
        LeaseHeld: If somebody else holds it.
        ClusterError: If the lease cannot be read or written.
    """
    again = Retrying(
        retry=retry_if_exception_type(Conflict),
        stop=stop_after_attempt(_CONFLICTS),
        wait=wait_random_exponential(0.05, 2),
        reraise=True,
    )
    lease = DeployLease(cluster, again(_take, cluster, lease_name(service_name), holder))
    try:
        yield lease
    finally:
        try:
            lease.give_up()
        except (ClusterError, LeaseLost) as error:
            _log.warning("deploy: the lease runs out in %d s: %s", LEASE_SECONDS, error)


def lease_name(service_name: str) -> str:
    """Name of a service's lease."""
    return f"{service_name}-deploy"


def read_journal(lease: dict[str, Any] | None) -> Journal:
    """What is noted in a lease."""
    text = ((lease or {}).get("metadata", {}).get("annotations") or {}).get(_JOURNAL)
    return Journal(**json.loads(text)) if text else Journal()


def holder_of(lease: dict[str, Any] | None) -> str:
    """Who holds a lease at the moment; empty if nobody does."""
    spec = (lease or {}).get("spec", {})
    holder = str(spec.get("holderIdentity") or "")
    if not holder or "renewTime" not in spec:
        return ""
    age = datetime.now(UTC) - datetime.fromisoformat(spec["renewTime"])
    return holder if age.total_seconds() < spec.get("leaseDurationSeconds", 0) else ""


def _take(cluster: Cluster, name: str, holder: str) -> dict[str, Any]:
    present = cluster.read(LEASES, name)
    fresh = {_HOLDING: uuid.uuid4().hex}
    if present is None:
        empty = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name},
        }
        return cluster.create(LEASES, _held(empty, holder, fresh))
    if (other := holder_of(present)) not in {"", holder}:
        rule = f"is held by {other} since {present['spec'].get('acquireTime')}"
        fix = (
            f"Wait for it; if it is dead, its lease runs out {LEASE_SECONDS} s after its last sign"
        )
        raise LeaseHeld(f"lease {name}", rule, fix)
    return cluster.replace(LEASES, _held(present, holder, fresh))


def _held(lease: dict[str, Any], holder: str, notes: dict[str, str]) -> dict[str, Any]:
    # The API wants exactly six digits behind the point.
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    spec = dict(lease.get("spec") or {})
    taken = {"acquireTime": now} if _HOLDING in notes else {}
    spec |= {"holderIdentity": holder, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now}
    metadata = dict(lease["metadata"])
    metadata.pop("managedFields", None)
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **notes}
    return {**lease, "metadata": metadata, "spec": spec | taken}


def _holding(lease: dict[str, Any]) -> str:
    return str((lease["metadata"].get("annotations") or {}).get(_HOLDING, ""))
