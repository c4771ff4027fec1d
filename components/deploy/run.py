"""Deploys a model: checks and publishes it, and hands it to the target."""

import logging
from dataclasses import replace
from pathlib import Path

from components import storage
from components.artifacts.evaluation import read_evaluation
from components.artifacts.model import bundle
from components.artifacts.publishing import publish_model, serving_uri
from components.artifacts.registry import require_unmoved
from components.artifacts.task import Task, load_task
from components.data_files import to_yaml
from components.deploy.cluster.connection import connect, require_rights
from components.deploy.cluster.modes import mode_for
from components.deploy.inference_service import (
    FACT,
    Manifest,
    inference_service,
    require_downloadable,
)
from components.deploy.kserve import bring_into_service
from components.deploy.local import smoke_test_here
from components.deploy.release import Release
from components.deploy.settings import DeploySettings
from components.deploy.smoke_test import smoke_test_of
from components.errors import InputError

INFERENCE_SERVICE = "inference_service.yaml"

_log = logging.getLogger(__name__)


def deploy(
    settings: DeploySettings,
    model: Path,
    model_uri: str,
    evaluation: str | Path,
    output: Path,
    dataset: Path | None = None,
    run_id: str = "",
) -> None:
    """Put a model behind its target's endpoint and write its InferenceService.

    With a registry the model is published there first, and becomes its champion last.

    Args:
        settings: The settings of the step.
        model: Model folder as train writes it.
        model_uri: The model folder as the cluster finds it; ignored with a registry.
        evaluation: The evaluation that evaluate wrote, path or URI.
        output: Folder to write: `inference_service.yaml`, for the target `local` also
            `predictor.log` and `smoke.json`.
        dataset: Merged data set folder; rows of its test split join the task's examples as
            sentences of the smoke test.
        run_id: The pipeline run that created the model, for manifest and registry.

    Raises:
        InputError: If the model does not verify, has the labels of another task or has not passed
            its gate, the evaluation is malformed, or the cluster is not usable.
        ChampionMovedError: If the registry's champion has changed since the evaluation.
        WorkError: If the predictor does not start or fails its smoke test, the cluster does not
            take the model, or a store does not answer. After any error the cluster serves its
            earlier model, unless the message says otherwise.
    """
    task = load_task(settings.task)
    release = _release(settings, model, model_uri, evaluation, run_id)
    _require_labels_of(task, model)
    if settings.target == "kserve":
        settings = _deployable(settings, release)
    if settings.registry:
        expected = release.evaluation.champion_generation
        require_unmoved(settings.registry, expected, run_id)
        place = _place(settings.registry, run_id)
        publish_model(model, place)
        _log.info("deploy: published %s", place)
    service = _service(settings, release)
    output.mkdir(parents=True, exist_ok=True)
    match settings.target:
        case "kserve":
            # The transaction crowns the model, so that service and champion change together.
            test = smoke_test_of(settings.service_name, task, dataset)
            cluster = connect(settings.namespace)
            bring_into_service(cluster, settings, service, test, release.crown, run_id)
            _render(service, output)
        case "local":
            smoke_test_here(smoke_test_of(settings.service_name, task, dataset), model, output)
            _render(service, output)
            release.crown()
        case _:
            _render(service, output)
            release.crown()


def _release(
    settings: DeploySettings, model: Path, model_uri: str, evaluation: str | Path, run_id: str
) -> Release:
    model_sha256 = bundle.verify(model).sha256
    if settings.registry:
        if not run_id:
            fix = "Deploy from a run of the pipeline, or without a registry"
            raise InputError("run_id", "is empty, but names the model in the registry", fix)
        model_uri = serving_uri(_place(settings.registry, run_id))
    measured = read_evaluation(evaluation)
    return Release(settings.registry, run_id, model_uri, model_sha256, measured)


def _place(registry: str, run_id: str) -> str:
    return f"{registry.rstrip('/')}/{run_id}"


def _require_labels_of(task: Task, model: Path) -> None:
    names = bundle.read_labels(model).names
    if names != task.names:
        thing, rule = f"model {model}", f"has the labels {', '.join(names)}, not {task.name}'s"
        raise InputError(thing, rule, "Deploy it with the task that it was trained for")


def _deployable(settings: DeploySettings, release: Release) -> DeploySettings:
    """Refuse, before work is spent, what a cluster would refuse; add the mode that it has."""
    if not release.evaluation.passed:
        rule = "says that the model has not passed its gate"
        raise InputError("evaluation", rule, "Deploy a model that has passed it")
    require_downloadable(release.model_uri)
    cluster = connect(settings.namespace)
    require_rights(cluster, settings.service_name)
    return replace(settings, mode=mode_for(cluster, settings))


def _service(settings: DeploySettings, release: Release) -> Manifest:
    notes = {FACT.format(name): fact for name, fact in release.facts().items()}
    name, uri = settings.service_name, release.model_uri
    return inference_service(name, uri, settings.image, notes, settings.mode)


def _render(service: Manifest, output: Path) -> None:
    with storage.staged(output / INFERENCE_SERVICE) as draft:
        draft.write_text(to_yaml(service), encoding="utf-8")
    _log.info("deploy: rendered InferenceService %s", service["metadata"]["name"])
