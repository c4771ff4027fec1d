"""Changes what a service serves so that at the end either the new model serves or the old one.

| step | what is in service |
| --- | --- |
| the service as it is goes into the journal of the lease | the old model |
| the new model is applied, with a little of the traffic (Knative) | the old, a little the new |
| it is the newest revision, ready, and has that share; it is tried out at its own address | same |
| it gets all of the traffic, and is tried out at the service's address | the new model |
| the journal says that it has been tried out; whatever else belongs to the release is done | same |
| the journal is closed | the new model |

A failure anywhere puts back what the journal holds, and waits until that serves again. A process
that is killed leaves its journal to the next one, which does the same before anything else. Once
the registry names the new model as its champion there is no way back: the new model stays, so that
service and champion are the same at the end.
"""

import dataclasses
import logging
from collections.abc import Callable

from components.deploy.cluster.api import SERVICES, Cluster
from components.deploy.cluster.lease import DeployLease, Journal, LeaseLost
from components.deploy.cluster.record import recorded
from components.deploy.cluster.rollout import Goal, wait_until
from components.deploy.cluster.status import Endpoint, endpoint
from components.deploy.inference_service import (
    KNATIVE,
    Manifest,
    facts_of,
    is_stopped,
    mode_of,
    release_of,
    stopped,
    with_canary,
)
from components.deploy.release import is_champion
from components.deploy.settings import DeploySettings
from components.errors import InputError

Check = Callable[[Endpoint], None]
"""Tries a model out where it answers; raises if it does not do."""

_log = logging.getLogger(__name__)


class Transaction:
    """A change of what a service serves.

    Args:
        cluster: Where the service is.
        lease: The service's lease, held.
        settings: What the user chose.
    """

    def __init__(self, cluster: Cluster, lease: DeployLease, settings: DeploySettings) -> None:
        self._cluster, self._lease, self._settings = cluster, lease, settings

    def recover(self) -> bool:
        """End a deploy that was cut off.

        Returns:
            Whether what was in service before it has been put back.

        Raises:
            InputError: If it does not come to serve, or the registry cannot be read.
        """
        journal = self._lease.journal
        if journal.candidate is None:
            return False
        _log.info("deploy: an earlier deploy was cut off")
        return not self._settle(journal.candidate, journal)

    def replace(self, manifest: Manifest, try_out: Check, finish: Callable[[], None]) -> None:
        """Bring a manifest into service, or leave in service what is there.

        Args:
            manifest: What should be in service.
            try_out: Called with the address of the new revision before it gets all of the
                traffic, and with that of the service afterwards.
            finish: What else belongs to the release; a failure undoes all, unless the model is the
                registry's champion by then.

        Raises:
            InputError: If it could not be brought into service; says whether the old one is.
        """
        old = recorded(self._cluster.read(SERVICES, self._settings.service_name))
        self._require_same_mode(old, manifest)
        previous, registry = self._lease.journal.previous, self._settings.registry
        journal = Journal(manifest, recorded=old, previous=previous, registry=registry)
        self._lease.note(journal)
        try:
            self._bring_in(manifest, old, try_out)
            journal = dataclasses.replace(journal, tried=True)
            self._lease.note(journal)
            finish()
        except LeaseLost:
            raise
        except Exception as error:
            if not self._undo(manifest, journal, error):
                raise
        else:
            self._close(manifest, journal)

    def _bring_in(self, manifest: Manifest, old: Manifest | None, try_out: Check) -> None:
        gateway = self._settings.gateway
        # KServe takes a canary of what is in service already for the wish to go back before it.
        if mode_of(manifest) == KNATIVE and self._is_replaced(old, manifest):
            percent = self._settings.canary_percent
            _log.info("deploy: the new model gets %d %% of the traffic", percent)
            service = self._apply(with_canary(manifest, percent), percent)
            try_out(endpoint(service, gateway, canary=True))
            _log.info("deploy: the new model gets all of the traffic")
        try_out(endpoint(self._apply(manifest), gateway))

    @staticmethod
    def _is_replaced(old: Manifest | None, manifest: Manifest) -> bool:
        """Whether something else is in service."""
        return old is not None and not is_stopped(old) and release_of(old) != release_of(manifest)

    def _apply(self, manifest: Manifest, percent: int = 100) -> dict[str, object]:
        # Whoever has lost the lease must not write any more.
        self._lease.renew()
        self._cluster.apply(SERVICES, manifest)
        goal = Goal(manifest, percent)
        return wait_until(self._cluster, self._lease, goal, self._settings.ready_seconds)

    def _undo(self, manifest: Manifest, journal: Journal, error: Exception) -> bool:
        """Whether the new model stays in service all the same."""
        _log.warning("deploy: %s", error)
        try:
            return self._settle(manifest, journal)
        except LeaseLost:
            raise
        except InputError as second:
            rule = f"{error} What was in service did not come back either: {second}"
            fix = "Run the deploy again, or `make rollback`: either starts with putting it back"
            raise InputError(f"service {self._settings.service_name}", rule, fix) from error

    def _settle(self, candidate: Manifest, journal: Journal) -> bool:
        """End a deploy that has not come to its end.

        The pointer alone does not tell: it may have named the model before the deploy began.

        Returns:
            True if its model stays, false if what was in service before has been put back.
        """
        known = facts_of(candidate)
        if journal.tried and is_champion(journal.registry, known["run"], known["model-sha256"]):
            _log.info("deploy: its model is the champion, and stays in service")
            self._close(candidate, journal)
            return True
        _log.info("deploy: putting back what was in service")
        self._put_back(candidate, journal)
        return False

    def _close(self, manifest: Manifest, journal: Journal) -> None:
        is_replaced = self._is_replaced(journal.recorded, manifest)
        previous = journal.recorded if is_replaced else journal.previous
        self._lease.note(Journal(previous=previous))

    def _put_back(self, candidate: Manifest, journal: Journal) -> None:
        old = journal.recorded
        live = recorded(self._cluster.read(SERVICES, self._settings.service_name))
        if old is None or is_stopped(old):
            if live is not None:
                self._apply(old or stopped(candidate))
        else:
            if self._would_expose(live, old):
                # Without this the newest revision, a bad one perhaps, would have all traffic
                # until the old model's pods are up again.
                self._apply(with_canary(old, 0), 0)
            self._apply(old)
        self._lease.note(Journal(previous=journal.previous))
        _log.info("deploy: what was in service before is in service")

    @staticmethod
    def _would_expose(live: Manifest | None, old: Manifest) -> bool:
        if live is None or mode_of(old) != KNATIVE:
            return False
        is_split = "canaryTrafficPercent" in live["spec"]["predictor"]
        return is_split or release_of(live) != release_of(old)

    @staticmethod
    def _require_same_mode(old: Manifest | None, manifest: Manifest) -> None:
        if old is not None and mode_of(old) != mode_of(manifest):
            rule = f"is {mode_of(old)} in the cluster, and KServe keeps it so"
            fix = "Deploy in that mode, or remove the service first"
            raise InputError(f"mode={mode_of(manifest)!r}", rule, fix)
