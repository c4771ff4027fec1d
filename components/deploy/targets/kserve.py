"""Deploys to a cluster, rolls back, and tells what is in service: the same for step and shell."""

import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence

from components.artifacts.registry import Champion, read_champion, replace_champion
from components.artifacts.task import Task
from components.deploy.cluster.api import LEASES, SERVICES, Cluster
from components.deploy.cluster.lease import deploy_lease, holder_of, lease_name, read_journal
from components.deploy.cluster.record import recorded
from components.deploy.cluster.status import read_status
from components.deploy.cluster.transaction import Transaction
from components.deploy.inference_service import Manifest, facts_of, is_stopped
from components.deploy.requirements import require_rights
from components.deploy.settings import DeploySettings
from components.deploy.smoke import Sentence
from components.deploy.try_out import TryOut
from components.errors import InputError

_log = logging.getLogger(__name__)


def bring_into_service(
    cluster: Cluster,
    settings: DeploySettings,
    manifest: Manifest,
    task: Task,
    sentences: Sequence[Sentence],
    finish: Callable[[], None],
    holder: str = "",
) -> None:
    """Put a model into service on a cluster, or leave the old one there.

    Args:
        cluster: Where the service is.
        settings: What the user chose.
        manifest: The service, its facts among its annotations.
        task: The model's task.
        sentences: What to try it out with.
        finish: What else belongs to the release; if it fails, the old model stays in service.
        holder: Id of the run; a later process of the same run may take over from it.

    Raises:
        InputError: If the model is not in service; says why, and whether the old one is.
    """
    with deploy_lease(cluster, settings.service_name, holder or _this_process()) as lease:
        transaction = Transaction(cluster, lease, settings)
        transaction.recover()
        try_out = TryOut(settings, task, sentences, facts_of(manifest)["model-sha256"])
        transaction.replace(manifest, try_out, finish)
    _log.info("deploy: model %.12s is in service", facts_of(manifest)["model-sha256"])


def roll_back(
    cluster: Cluster, settings: DeploySettings, task: Task, sentences: Sequence[Sentence]
) -> None:
    """Put the model back into service that was there before, and into the champion's place.

    If a deploy was cut off before its model was the champion, what was in service before that is
    put back, and no more.

    Args:
        cluster: Where the service is.
        settings: What the user chose; with a registry, its champion is changed as well.
        task: The model's task.
        sentences: What to try it out with.

    Raises:
        InputError: If nothing is known that was there before, or it does not come to serve.
    """
    name = settings.service_name
    require_rights(cluster, name)
    with deploy_lease(cluster, name, _this_process()) as lease:
        transaction = Transaction(cluster, lease, settings)
        if transaction.recover():
            return
        previous = lease.journal.previous
        if previous is None or is_stopped(previous):
            rule = "has no model that was in service before the present one"
            raise InputError(f"service {name}", rule, "Deploy the model that you want")
        known = facts_of(previous)
        try_out = TryOut(settings, task, sentences, known["model-sha256"])
        transaction.replace(previous, try_out, lambda: _crown_again(settings.registry, known))
    _log.info("deploy: model %.12s is in service again", known["model-sha256"])


def report(cluster: Cluster, service_name: str) -> str:
    """What is in service, and what is being done to it, in a few lines."""
    service = cluster.read(SERVICES, service_name)
    lease = cluster.read(LEASES, lease_name(service_name))
    journal = read_journal(lease)
    under_way = holder_of(lease) or "nobody"
    if journal.candidate is not None and not holder_of(lease):
        under_way = "nobody, but a deploy was cut off: deploy again, or roll back"
    lines = {"service": service_name, "status": "there is none", "deploying": under_way}
    if service is not None:
        manifest = recorded(service)
        idle = manifest is not None and is_stopped(manifest)
        lines["status"] = "stopped" if idle else str(read_status(service))
        lines |= facts_of(manifest) if manifest else {}
    if journal.previous is not None:
        lines["before"] = facts_of(journal.previous).get("run", "unknown")
    return "\n".join(f"{name:14} {value}" for name, value in lines.items())


def _crown_again(registry: str, known: Mapping[str, str]) -> None:
    if not registry:
        return
    _, generation = read_champion(registry)
    scores = {name: float(known[name]) for name in ("accuracy", "macro_f1")}
    champion = Champion(known["run"], known["model-uri"], known["model-sha256"], scores)
    replace_champion(registry, champion, generation)


def _this_process() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"
