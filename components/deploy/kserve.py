"""Deploys to a cluster, rolls back, and reports what is in service: for the step and the shell."""

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import replace

from components.deploy.cluster.api import LEASES, SERVICES, Cluster
from components.deploy.cluster.connection import require_rights
from components.deploy.cluster.lease import deploy_lease, holder_of, lease_name, read_journal
from components.deploy.cluster.rollout import DEFAULT_PATIENCE, Patience
from components.deploy.cluster.service import read_status, recorded
from components.deploy.cluster.transaction import Transaction
from components.deploy.inference_service import Manifest, facts_of, is_stopped, version_of
from components.deploy.registration import registrar_of
from components.deploy.release import crown_again
from components.deploy.settings import DeploySettings
from components.deploy.smoke_test import SmokeTest
from components.deploy.try_out import TryOut
from components.errors import InputError

_log = logging.getLogger(__name__)


def bring_into_service(
    cluster: Cluster,
    settings: DeploySettings,
    manifest: Manifest,
    test: SmokeTest,
    finish: Callable[[], None],
    holder: str = "",
    patience: Patience = DEFAULT_PATIENCE,
    announce: Callable[[], None] = lambda: None,
) -> None:
    """Put a model into service on a cluster, or leave the old one in service.

    Args:
        cluster: The cluster of the service.
        settings: The settings of the step.
        manifest: The service, with the facts about its model among its annotations.
        test: The smoke test of the model.
        finish: Completes the release; if it fails, the old model stays in service.
        holder: Id of the run; a later process of the same run may take over from it.
        patience: How the rollout is watched.
        announce: Called once the model is in service, before another deploy may begin.

    Raises:
        StepError: If the model is not in service; the message says why, and whether the old one is.
    """
    with deploy_lease(cluster, settings.service_name, holder or _this_process()) as lease:
        transaction = Transaction(cluster, lease, settings, patience)
        transaction.recover()
        try_out = TryOut(cluster, manifest, adapted(test, settings, manifest))
        transaction.replace(manifest, try_out, finish)
        announce()
    _log.info("deploy: model %.12s is in service", facts_of(manifest)["model-sha256"])


def roll_back(
    cluster: Cluster,
    settings: DeploySettings,
    test: SmokeTest,
    patience: Patience = DEFAULT_PATIENCE,
    model_registry_token: str = "",
) -> None:
    """Put the previous model back into service, and into the champion's place.

    If a deploy was cut off before its model became the champion, only that deploy is undone. A
    model that cannot be reached from here comes back without having been tried out.

    Args:
        cluster: The cluster of the service.
        settings: The settings of the step; with a registry, its champion is changed as well.
        test: The smoke test of the previous model.
        patience: How the rollout is watched.
        model_registry_token: Bearer token; empty for that of this pod's account.

    Raises:
        InputError: If no previous model is known, or the account lacks a right.
        WorkError: If the previous model does not come to serve.
    """
    name = settings.service_name
    require_rights(cluster, name)
    with deploy_lease(cluster, name, _this_process()) as lease:
        transaction = Transaction(cluster, lease, settings, patience)
        if transaction.recover():
            return
        previous = lease.journal.previous
        if previous is None or is_stopped(previous):
            rule = "has no model that was in service before the present one"
            raise InputError(f"service {name}", rule, "Deploy the model that you want")
        facts = facts_of(previous)
        # It has served before, and whoever rolls back must not end with the newer model.
        try_out = TryOut(cluster, previous, adapted(test, settings, previous), required=False)
        transaction.replace(previous, try_out, lambda: crown_again(settings.registry, facts))
        registrar = registrar_of(settings.model_registry, cluster.namespace, model_registry_token)
        registrar.serve_again(previous)
    _log.info("deploy: model %.12s is in service again", facts["model-sha256"])


def report(cluster: Cluster, service_name: str) -> str:
    """Describe in a few lines what is in service, and which deploy of it is under way."""
    service = cluster.read(SERVICES, service_name)
    lease = cluster.read(LEASES, lease_name(service_name))
    journal = read_journal(lease)
    under_way = holder_of(lease) or "nobody"
    if journal.candidate is not None and not holder_of(lease):
        under_way = "nobody, but a deploy was cut off: deploy again, or roll back"
    lines = {"service": service_name, "status": "there is none", "deploying": under_way}
    if service is not None:
        manifest = recorded(service)
        lines["status"] = "stopped" if is_stopped(service) else str(read_status(service))
        lines |= facts_of(manifest) if manifest else {}
    if journal.previous is not None:
        lines["before"] = facts_of(journal.previous).get("run", "unknown")
    return "\n".join(f"{name:14} {value}" for name, value in lines.items())


def adapted(test: SmokeTest, settings: DeploySettings, manifest: Manifest) -> SmokeTest:
    """Make a smoke test require the model of a manifest, and wait for the route to it."""
    return replace(
        test,
        version=version_of(manifest),
        wait_seconds=settings.endpoint_seconds,
        max_latency_ms=settings.max_latency_ms,
    )


def _this_process() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"
