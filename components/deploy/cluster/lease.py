"""One deploy of a service at a time, and a journal that outlives it.

The lease is a `coordination.k8s.io` Lease named `<service>-deploy`. Before its holder changes
anything, it writes into an annotation, the journal, what was in service. If the holder is killed,
the next one finds the journal and first restores that. The journal is not on the InferenceService
itself, since KServe copies its annotations to the pods, and would start new ones at each change.

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

from components.api_server import ConflictError
from components.deploy.cluster.api import LEASES, Cluster
from components.deploy.inference_service import Manifest
from components.errors import ClusterError, LeaseError

LEASE_SECONDS = 180
"""Seconds for which a lease stays valid after its holder last renewed it."""

_JOURNAL = "emotion-pipeline/journal"
_HOLDING = "emotion-pipeline/holding"
_RETRYING = Retrying(
    retry=retry_if_exception_type(ConflictError),
    stop=stop_after_attempt(10),
    wait=wait_random_exponential(0.05, 2),
    reraise=True,
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Journal:
    """The record of a deploy under way.

    Args:
        candidate: The service to be brought in; None if no deploy is under way.
        recorded: The service when the deploy began; None if there was none.
        previous: The service before the present one; None if there was none.
        tried: True once the candidate has all of the traffic and has passed its smoke test there.
        registry: The registry whose champion the candidate then becomes; may be empty.
    """

    candidate: Manifest | None = None
    recorded: Manifest | None = None
    previous: Manifest | None = None
    tried: bool = False
    registry: str = ""


class LeaseLostError(LeaseError):
    """Another deploy has taken over, so this one may not change anything any more."""


class DeployLease:
    """A lease that this process holds.

    Args:
        cluster: The cluster of the service.
        content: The lease as the server returned it.
    """

    def __init__(self, cluster: Cluster, content: dict[str, Any]) -> None:
        self._cluster, self._content = cluster, content
        self._holding = _holding(content)

    @property
    def journal(self) -> Journal:
        """The journal of the last holder."""
        return read_journal(self._content)

    def note(self, journal: Journal) -> None:
        """Write the journal, before anything is changed.

        Raises:
            LeaseLostError: If another process holds the lease now.
            ClusterError: If it cannot be written.
        """
        self._renew({_JOURNAL: json.dumps(asdict(journal))})

    def renew(self) -> None:
        """Show that the holder is alive, and make sure that it still is the holder.

        Raises:
            LeaseLostError: If another process holds the lease now.
            ClusterError: If it cannot be written.
        """
        self._renew({})

    def give_up(self) -> None:
        """Release the lease; the journal stays."""
        self._renew({}, holder="")

    def _renew(self, notes: dict[str, str], holder: str | None = None) -> None:
        again = _RETRYING.copy(
            before=lambda state: self._read_again() if state.attempt_number > 1 else None
        )
        again(self._write, notes, holder)

    def _write(self, notes: dict[str, str], holder: str | None) -> None:
        who = self._content["spec"]["holderIdentity"] if holder is None else holder
        changed = _held(self._content, who, notes)
        self._content = self._cluster.replace(LEASES, changed)

    def _read_again(self) -> None:
        # A request whose answer was lost is repeated, and then meets its own result.
        name = self._content["metadata"]["name"]
        present = self._cluster.read(LEASES, name)
        if present is None or _holding(present) != self._holding:
            rule = "is no longer held by this deploy"
            raise LeaseLostError(f"lease {name}", rule, "Look at the log of the other deploy")
        self._content = present


@contextmanager
def deploy_lease(cluster: Cluster, service_name: str, holder: str) -> Iterator[DeployLease]:
    """Hold the lease of a service for the duration of a block.

    A holder, named after its run, takes over from an earlier process of the same name, as a
    retried step does.

    Raises:
        LeaseError: If another deploy holds it.
        ClusterError: If the lease cannot be read or written.
    """
    taken = _RETRYING.copy()(_take, cluster, lease_name(service_name), holder)
    lease = DeployLease(cluster, taken)
    try:
        yield lease
    finally:
        try:
            lease.give_up()
        except (ClusterError, LeaseLostError) as error:
            _log.warning("deploy: the lease expires in %d s: %s", LEASE_SECONDS, error)


def lease_name(service_name: str) -> str:
    """Build the name of a service's lease."""
    return f"{service_name}-deploy"


def read_journal(lease: dict[str, Any] | None) -> Journal:
    """Read the journal in a lease."""
    text = ((lease or {}).get("metadata", {}).get("annotations") or {}).get(_JOURNAL)
    return Journal(**json.loads(text)) if text else Journal()


def holder_of(lease: dict[str, Any] | None) -> str:
    """Read the present holder of a lease; empty if there is none."""
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
        rule = f"has been held by {other} since {present['spec'].get('acquireTime')}"
        fix = f"Wait for it; if it is dead, its lease expires after {LEASE_SECONDS} s"
        raise LeaseError(f"lease {name}", rule, fix)
    return cluster.replace(LEASES, _held(present, holder, fresh))


def _held(lease: dict[str, Any], holder: str, notes: dict[str, str]) -> dict[str, Any]:
    # The API requires exactly six decimal places.
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
