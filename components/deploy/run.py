"""Deploys a model: checks and publishes it, and hands it to the target."""

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

from components import storage
from components.api_server import pod_namespace
from components.artifacts.evaluation import read_evaluation
from components.artifacts.image_repository import ImageRepository
from components.artifacts.model import bundle
from components.artifacts.model_image import publish_image
from components.artifacts.publishing import publish_model, read_signature, serving_uri
from components.artifacts.registry import require_run_name, require_unmoved
from components.artifacts.signatures import Trust
from components.artifacts.task import Task, load_task
from components.data_files import to_yaml
from components.deploy.cluster.connection import connect, require_rights
from components.deploy.cluster.modes import mode_for, require_autoscaler
from components.deploy.inference_service import (
    FACT,
    Manifest,
    inference_service,
    require_downloadable,
)
from components.deploy.kserve import bring_into_service
from components.deploy.local import smoke_test_here
from components.deploy.registration import Entry, Registered, opening_of, registrar_of
from components.deploy.release import Release, TrainedModel
from components.deploy.settings import DeploySettings
from components.deploy.smoke_test import smoke_test_of
from components.errors import InputError

INFERENCE_SERVICE = "inference_service.yaml"

_log = logging.getLogger(__name__)


def deploy(
    settings: DeploySettings,
    trained: TrainedModel,
    output: Path,
    dataset: Path | None = None,
    model_registry_token: str = "",
) -> None:
    """Put a model behind its target's endpoint and write its InferenceService.

    With a registry the model is published there first, and becomes its champion last.

    Args:
        settings: The settings of the step.
        trained: The model.
        output: Folder to write: `inference_service.yaml`, for the target `local` also
            `predictor.log` and `smoke.json`.
        dataset: Merged data set folder; rows of its test split join the task's examples as
            sentences of the smoke test.
        model_registry_token: Bearer token; empty for that of this pod's account.

    Raises:
        InputError: If the model does not verify, has the labels of another task or has not passed
            its gate, the evaluation is malformed, or the cluster or the signing key is not usable.
        ChampionMovedError: If the registry's champion has changed since the evaluation.
        WorkError: If the predictor does not start or fails its smoke test, the cluster does not
            take the model, or a store does not answer. After any error the cluster serves its
            earlier model, unless the message says otherwise.
    """
    task = load_task(settings.task)
    release = _release(settings, trained)
    _require_labels_of(task, trained.folder)
    trust = settings.trust
    if settings.target == "kserve":
        settings = _deployable(settings, release)
    if settings.registry:
        release = _publish(settings, trained.folder, release)
    if settings.model_images:
        release = _with_image(settings, trained.folder, release)
    namespace = settings.namespace or pod_namespace()
    registrar = registrar_of(settings.model_registry, namespace, model_registry_token)
    registered = registrar.register(_entry(settings, release, trained, task))
    service = _service(settings, release, registered, trust)
    output.mkdir(parents=True, exist_ok=True)
    test = partial(smoke_test_of, settings.service_name, task, dataset)
    if settings.target == "kserve":
        cluster = connect(settings.namespace)
        announce = partial(registrar.release, registered, serves=True)
        # The transaction crowns the model, so that service and champion change together.
        finish, holder = release.crown, release.run_id
        bring_into_service(cluster, settings, service, test(), finish, holder, announce=announce)
        _render(service, output)
        return
    if settings.target == "local":
        smoke_test_here(test(), trained.folder, output)
    _render(service, output)
    release.crown()
    registrar.release(registered, serves=False)


def _publish(settings: DeploySettings, model: Path, release: Release) -> Release:
    require_unmoved(settings.registry, release.evaluation.champion_generation, release.run_id)
    place = _place(settings.registry, release.run_id)
    signature = publish_model(model, place, settings.signer)
    _log.info("deploy: published %s%s", place, ", signed" if signature else "")
    return replace(release, signature_sha256=signature)


def _with_image(settings: DeploySettings, model: Path, release: Release) -> Release:
    # Without a run the model itself is its name.
    tag = release.run_id or f"model-{release.model_sha256:.12}"
    signature = read_signature(release.model_uri) if release.signature_sha256 else b""
    image = publish_image(model, ImageRepository(settings.model_images), tag, signature)
    _log.info("deploy: published %s", image)
    return replace(release, image=image)


def _release(settings: DeploySettings, trained: TrainedModel) -> Release:
    model_sha256, model_uri = bundle.verify(trained.folder).sha256, trained.uri
    if settings.registry:
        require_run_name(trained.run_id)
        model_uri = serving_uri(_place(settings.registry, trained.run_id))
    measured = read_evaluation(trained.evaluation)
    return Release(settings.registry, trained.run_id, model_uri, model_sha256, measured)


def _place(registry: str, run_id: str) -> str:
    return f"{registry.rstrip('/')}/{run_id}"


def _require_labels_of(task: Task, model: Path) -> None:
    names = bundle.read_labels(model).names
    if names != task.names:
        thing, rule = f"model {model}", f"has the labels {', '.join(names)}, not {task.name}'s"
        raise InputError(thing, rule, "Deploy it with the task that it was trained for")


def _deployable(settings: DeploySettings, release: Release) -> DeploySettings:
    """Refuse, before work is spent, what a cluster would refuse; add what only it knows."""
    if not release.evaluation.passed:
        rule = "says that the model has not passed its gate"
        raise InputError("evaluation", rule, "Deploy a model that has passed it")
    if not settings.model_images:
        require_downloadable(release.model_uri)
    cluster = connect(settings.namespace)
    require_rights(cluster, settings.service_name)
    settings = replace(settings, mode=mode_for(cluster, settings), namespace=cluster.namespace)
    require_autoscaler(cluster, settings)
    return settings


def _entry(settings: DeploySettings, release: Release, trained: TrainedModel, task: Task) -> Entry:
    measured = release.evaluation
    card = storage.read_text(str(trained.card)) if trained.card else ""
    return Entry(
        service_name=settings.service_name,
        purpose=f"Predicts {task.description}: {', '.join(task.names)}.",
        run_id=release.run_id,
        run_name=trained.run_name,
        run_namespace=pod_namespace(),
        model_uri=release.served_uri,
        description=opening_of(card),
        properties={**measured.figures(), "model-sha256": release.model_sha256},
    )


def _service(
    settings: DeploySettings, release: Release, registered: Registered, trust: Trust
) -> Manifest:
    notes = {FACT.format(name): fact for name, fact in release.facts().items()}
    service = inference_service(
        settings.service_name,
        release.served_uri,
        settings.image,
        {**notes, **registered.annotations()},
        settings.mode,
        registered.labels(),
        trust,
    )
    return settings.scaling.applied_to(service, settings.namespace, settings.prometheus)


def _render(service: Manifest, output: Path) -> None:
    with storage.staged(output / INFERENCE_SERVICE) as draft:
        draft.write_text(to_yaml(service), encoding="utf-8")
    _log.info("deploy: rendered InferenceService %s", service["metadata"]["name"])
