"""Changes what a service serves, so that in the end either the new or the old model serves.

| step | in service |
| --- | --- |
| the present service is written into the journal of the lease | the old model |
| the new model is applied, with a little of the traffic (Knative) | the old one, and a little new |
| once it is ready and has that share, it is smoke-tested at its own address | the same |
| it gets all of the traffic, and is smoke-tested at the service's address | the new model |
| the journal records the smoke test; the release is completed | the new model |
| the journal is closed | the new model |

After any failure the service in the journal is restored, and serves again. The journal of a killed
process is left to the next one, which first does the same. Once the registry names the new model
as its champion there is no way back: the new model stays, so that service and champion agree.
"""

import dataclasses
import logging
from collections.abc import Callable

from components.deploy.cluster.api import SERVICES, Cluster
from components.deploy.cluster.lease import DeployLease, Journal, LeaseLostError
from components.deploy.cluster.rollout import Goal, Patience, wait_until
from components.deploy.cluster.service import ServiceAddress, recorded, service_address
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
from components.errors import InputError, RolloutError, StepError

Test = Callable[[ServiceAddress], object]
"""A test of a model at an address; it raises if the model fails."""

_log = logging.getLogger(__name__)


class Transaction:
    """A change of what a service serves, by the holder of its lease."""

    def __init__(
        self, cluster: Cluster, lease: DeployLease, settings: DeploySettings, patience: Patience
    ) -> None:
        self._cluster, self._lease, self._settings = cluster, lease, settings
        self._patience = patience

    def recover(self) -> bool:
        """End a deploy that was cut off.

        Returns:
            True if the service before it has been restored.

        Raises:
            StepError: If that does not come to serve, or the registry cannot be read.
        """
        journal = self._lease.journal
        if journal.candidate is None:
            return False
        _log.info("deploy: an earlier deploy was cut off")
        return not self._settle(journal.candidate, journal)

    def replace(self, manifest: Manifest, test: Test, finish: Callable[[], None]) -> None:
        """Bring a manifest into service, or leave the present one in service.

        Args:
            manifest: The service to bring in.
            test: Called with the address of the new revision before it gets all of the traffic,
                and with that of the service afterwards.
            finish: Completes the release; a failure undoes everything, unless the model is the
                registry's champion by then.

        Raises:
            StepError: If it could not be brought in; the message says whether the old one serves.
        """
        old = recorded(self._cluster.read(SERVICES, self._settings.service_name))
        self._require_same_mode(old, manifest)
        previous, registry = self._lease.journal.previous, self._settings.registry
        journal = Journal(manifest, recorded=old, previous=previous, registry=registry)
        self._lease.note(journal)
        try:
            self._bring_in(manifest, old, test)
            journal = dataclasses.replace(journal, tried=True)
            self._lease.note(journal)
            finish()
        except LeaseLostError:
            raise
        except Exception as error:
            if not self._undo(manifest, journal, error):
                raise
        else:
            self._close(manifest, journal)

    def _bring_in(self, manifest: Manifest, old: Manifest | None, test: Test) -> None:
        gateway = self._settings.gateway
        # KServe takes a canary of the present model for the wish to return to the one before.
        if mode_of(manifest) == KNATIVE and self._is_replaced(old, manifest):
            percent = self._settings.canary_percent
            _log.info("deploy: the new model gets %d %% of the traffic", percent)
            service = self._apply(with_canary(manifest, percent), percent)
            test(service_address(service, gateway, canary=True))
            _log.info("deploy: the new model gets all of the traffic")
        test(service_address(self._apply(manifest), gateway))

    @staticmethod
    def _is_replaced(old: Manifest | None, manifest: Manifest) -> bool:
        """Tell whether another release is in service."""
        return old is not None and not is_stopped(old) and release_of(old) != release_of(manifest)

    def _apply(self, manifest: Manifest, percent: int = 100) -> dict[str, object]:
        # A deploy that has lost the lease must not write any more.
        self._lease.renew()
        self._cluster.apply(SERVICES, manifest)
        goal = Goal(manifest, percent)
        seconds = self._settings.ready_seconds
        return wait_until(self._cluster, self._lease, goal, seconds, self._patience)

    def _undo(self, manifest: Manifest, journal: Journal, error: Exception) -> bool:
        """Undo a failed deploy; True if the new model stays in service nevertheless."""
        _log.warning("deploy: %s", error)
        try:
            return self._settle(manifest, journal)
        except LeaseLostError:
            raise
        except StepError as second:
            rule = f"{error} The old model could not be restored either: {second}"
            fix = "Run the deploy again, or `make rollback`: either starts by restoring it"
            raise RolloutError(f"service {self._settings.service_name}", rule, fix) from error

    def _settle(self, candidate: Manifest, journal: Journal) -> bool:
        """End an unfinished deploy.

        The champion does not decide by itself: it may have been this model before the deploy began.

        Returns:
            True if its model stays, False if the service before it has been restored.
        """
        known = facts_of(candidate)
        if journal.tried and is_champion(journal.registry, known["run"], known["model-sha256"]):
            _log.info("deploy: its model is the champion, and stays in service")
            self._close(candidate, journal)
            return True
        _log.info("deploy: restoring the old model")
        self._restore(candidate, journal)
        return False

    def _close(self, manifest: Manifest, journal: Journal) -> None:
        is_replaced = self._is_replaced(journal.recorded, manifest)
        previous = journal.recorded if is_replaced else journal.previous
        self._lease.note(Journal(previous=previous))

    def _restore(self, candidate: Manifest, journal: Journal) -> None:
        old = journal.recorded
        live = recorded(self._cluster.read(SERVICES, self._settings.service_name))
        if old is None or is_stopped(old):
            if live is not None:
                self._apply(old or stopped(candidate))
        else:
            if self._would_expose(live, old):
                # Otherwise the newest revision, perhaps a bad one, would get all of the traffic
                # until the old model's pods are up again.
                self._apply(with_canary(old, 0), 0)
            self._apply(old)
        self._lease.note(Journal(previous=journal.previous))
        _log.info("deploy: the old model is in service")

    @staticmethod
    def _would_expose(live: Manifest | None, old: Manifest) -> bool:
        if live is None or mode_of(old) != KNATIVE:
            return False
        is_split = "canaryTrafficPercent" in live["spec"]["predictor"]
        return is_split or release_of(live) != release_of(old)

    @staticmethod
    def _require_same_mode(old: Manifest | None, manifest: Manifest) -> None:
        if old is not None and mode_of(old) != mode_of(manifest):
            rule = f"is {mode_of(old)} in the cluster, and KServe cannot change it"
            fix = "Deploy in that mode, or remove the service first"
            raise InputError(f"mode={mode_of(manifest)!r}", rule, fix)
