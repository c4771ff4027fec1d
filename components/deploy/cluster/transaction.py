"""Changes what a service serves, so that in the end either the new or the old model serves.

| step | in service |
| --- | --- |
| the present service is written into the journal of the lease | the old model |
| the new model is applied, with a little of the traffic | the old one, and a little new |
| once it is ready and has that share, it is smoke-tested at its own address | the same |
| it gets all of the traffic, and is smoke-tested at the service's address | the new model |
| the journal records the smoke test; the release is completed | the new model |
| the journal is closed | the new model |

Where KServe can give a service in Standard mode no canary, the two steps in the middle are skipped,
and a first model needs none.

After any failure the service in the journal is restored, and serves again; where there was none,
the new one is removed. The journal of a killed process is left to the next one, which first does
the same. Once the registry names the new model as its champion there is no way back: the new model
stays, so that service and champion agree.
"""

import dataclasses
import logging
from collections.abc import Callable

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from components.api_server import ConflictError
from components.deploy.cluster.api import SERVICES, Cluster
from components.deploy.cluster.lease import DeployLease, Journal, LeaseLostError
from components.deploy.cluster.modes import (
    has_candidates,
    require_same_autoscaler,
    require_same_mode,
)
from components.deploy.cluster.rollout import Goal, Patience, wait_until, wait_until_gone
from components.deploy.cluster.service import ServiceAddress, recorded, service_address
from components.deploy.inference_service import (
    KNATIVE,
    Manifest,
    facts_of,
    is_stopped,
    mode_of,
    release_of,
    with_canary,
    with_candidate,
)
from components.deploy.release import is_champion
from components.deploy.scaling import autoscaler_of
from components.deploy.settings import DeploySettings
from components.errors import RolloutError, StepError

Test = Callable[[ServiceAddress], object]
"""A test of a model at an address; it raises if the model fails."""

_CONFLICTS = 10
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
        live = self._cluster.read(SERVICES, self._settings.service_name)
        require_same_autoscaler(live, autoscaler_of(manifest))
        old = recorded(live)
        if old is not None and is_stopped(old):
            self._remove(old)
            old = None
        if old is not None:
            require_same_mode(mode_of(old), mode_of(manifest))
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
        gateway, percent = self._settings.gateway, self._settings.canary_percent
        if canary := self._canary(manifest, old):
            _log.info("deploy: the new model is tried out; %d %% of split traffic", percent)
            service = self._apply(canary, Goal(manifest, percent))
            test(service_address(service, gateway, canary=True))
            _log.info("deploy: the new model takes over")
        goal = Goal(manifest, was_there=self._is_same(old, manifest))
        test(service_address(self._apply(manifest, goal), gateway))

    def _canary(self, manifest: Manifest, old: Manifest | None) -> Manifest | None:
        """Build the service in which another model joins the old one; None if there is none."""
        # KServe takes a canary of the present model for the wish to return to the one before.
        if old is None or self._is_same(old, manifest):
            return None
        if mode_of(manifest) == KNATIVE:
            return with_canary(manifest, self._settings.canary_percent)
        if has_candidates(self._cluster, self._settings.service_name):
            return with_candidate(old, manifest, self._settings.canary_percent)
        _log.info("deploy: without a canary, which this KServe cannot give this service")
        return None

    @staticmethod
    def _is_same(present: Manifest | None, manifest: Manifest) -> bool:
        """Tell whether this release is in service."""
        return present is not None and release_of(present) == release_of(manifest)

    def _apply(self, service: Manifest, goal: Goal) -> dict[str, object]:
        # A deploy that has lost the lease must not write any more.
        self._lease.renew()
        known = self._cluster.warnings(self._settings.service_name)
        self._cluster.apply(SERVICES, service)
        goal = dataclasses.replace(goal, known=known)
        seconds = self._settings.ready_seconds
        return wait_until(self._cluster, self._lease, goal, seconds, self._patience)

    def _remove(self, created: Manifest) -> None:
        """Remove a service that was never in service, unless another release has taken its place.

        KServe writes its status at any time, and the service read must be the one deleted.
        """
        again = Retrying(
            retry=retry_if_exception_type(ConflictError),
            stop=stop_after_attempt(_CONFLICTS),
            wait=wait_random_exponential(0.05, 2),
            reraise=True,
        )
        self._lease.renew()
        if again(self._delete, created):
            name, seconds = self._settings.service_name, self._settings.ready_seconds
            wait_until_gone(self._cluster, self._lease, name, seconds, self._patience)

    def _delete(self, created: Manifest) -> bool:
        live = self._cluster.read(SERVICES, self._settings.service_name)
        present = recorded(live)
        if live is None or present is None or release_of(present) != release_of(created):
            return False
        self._cluster.delete(SERVICES, live)
        return True

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
        self._restore(candidate, journal)
        return False

    def _close(self, manifest: Manifest, journal: Journal) -> None:
        old = journal.recorded
        is_replaced = old is not None and not self._is_same(old, manifest)
        previous = old if is_replaced else journal.previous
        self._lease.note(Journal(previous=previous))

    def _restore(self, candidate: Manifest, journal: Journal) -> None:
        old = journal.recorded
        if old is None or is_stopped(old):
            _log.info("deploy: removing the new model, before which there was none")
            self._remove(candidate)
        else:
            _log.info("deploy: restoring the old model")
            live = recorded(self._cluster.read(SERVICES, self._settings.service_name))
            if self._would_expose(live, old):
                # Otherwise the newest revision, perhaps a bad one, would get all of the traffic
                # until the old model's pods are up again.
                self._apply(with_canary(old, 0), Goal(old, 0))
            self._apply(old, Goal(old, was_there=self._is_same(live, old)))
            _log.info("deploy: the old model is in service")
        self._lease.note(Journal(previous=journal.previous))

    @staticmethod
    def _would_expose(live: Manifest | None, old: Manifest) -> bool:
        if live is None or mode_of(old) != KNATIVE:
            return False
        is_split = "canaryTrafficPercent" in live["spec"]["predictor"]
        return is_split or release_of(live) != release_of(old)
