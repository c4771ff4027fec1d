"""Deploys a model: renders its InferenceService, tries the predictor out, puts it into service."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from components import storage
from components.artifacts.dataset import TEST, read_split
from components.artifacts.model import bundle
from components.artifacts.task import Task, load_task
from components.deploy.cluster.api import Cluster
from components.deploy.inference_service import FACT, Manifest, inference_service
from components.deploy.release import crown, publish, require_unmoved
from components.deploy.requirements import require_downloadable, require_passed, require_rights
from components.deploy.settings import DeploySettings
from components.deploy.smoke import Sentence, smoke
from components.deploy.targets.kserve import bring_into_service
from components.deploy.targets.local import running_predictor
from components.deploy.try_out import log_result
from components.errors import InputError

MANIFEST = "inference_service.yaml"
SMOKE = "smoke.json"
LOG = "predictor.log"

_log = logging.getLogger(__name__)
_ANNOTATED_METRICS = ("accuracy", "macro_f1")
_TEST_ROWS = 20


def deploy(
    settings: DeploySettings,
    model: Path,
    metrics: Mapping[str, Any],
    model_uri: str,
    output: Path,
    dataset: Path | None = None,
    run_id: str = "",
) -> None:
    """Write the InferenceService of a model; try the predictor out here, or put it into service.

    With a registry the model is published there first, and made its champion last.

    Args:
        settings: What the user chose.
        model: Model folder as train writes it.
        metrics: What evaluate measured, `accuracy` and `macro_f1` on the test split among it.
        model_uri: Where the cluster finds the model folder; with a registry it is found there.
        output: Folder to write: for `local` `predictor.log` and `smoke.json`, and last
            `inference_service.yaml`.
        dataset: Merged data set folder; rows of its test split join the task's examples as
            sentences to try the predictor with.
        run_id: The pipeline run that made the model, for manifest and registry.

    Raises:
        InputError: If the model does not verify or is of another task, a metric is missing,
            the predictor does not start or fails its smoke test, the registry's champion has
            changed since evaluate, or the cluster does not take the model; then what was in
            service there before still is.
    """
    task = load_task(settings.task)
    manifest = bundle.verify(model)
    _require_labels_of(task, model)
    facts = _facts(manifest, metrics, run_id)
    cluster = _cluster(settings, metrics, model_uri) if settings.deploy_target == "kserve" else None
    if settings.registry:
        _require_run(run_id)
        require_unmoved(settings.registry, run_id, metrics)
        model_uri = publish(settings.registry, run_id, model)
    service = _service(settings, model_uri, facts)
    output.mkdir(parents=True, exist_ok=True)

    def finish() -> None:
        if settings.registry:
            crown(settings.registry, run_id, model_uri, manifest.sha256, metrics)

    sentences = [] if settings.deploy_target == "render" else sentences_of(task, dataset)
    if cluster:
        bring_into_service(cluster, settings, service, task, sentences, finish, run_id)
    elif settings.deploy_target == "local":
        _try_out(settings.service_name, task, sentences, model, output)
    with storage.staged(output / MANIFEST) as draft:
        draft.write_text(yaml.safe_dump(service, sort_keys=False), encoding="utf-8")
    if not cluster:
        finish()
    _log.info("deploy: rendered InferenceService %s", settings.service_name)


def sentences_of(task: Task, dataset: Path | None) -> list[Sentence]:
    """Sentences to try a model out with: the task's examples, and some rows of the test split.

    Args:
        task: The model's task.
        dataset: Merged data set folder; None for the examples alone.

    Raises:
        InputError: If there are none.
    """
    sentences = [Sentence(text, label.name) for label in task.labels for text in label.examples]
    if dataset is not None:
        rows = read_split(dataset, TEST, task.names).draw(_TEST_ROWS)
        sentences += [Sentence(text, task.names[label]) for text, label in rows]
    if not sentences:
        raise InputError(f"task {task.name}", "has no examples to try out", "Add `examples`")
    return sentences


def _cluster(settings: DeploySettings, metrics: Mapping[str, Any], model_uri: str) -> Cluster:
    """The cluster to deploy to, after all that can be checked before work is spent."""
    from components.deploy.cluster.connection import connect

    require_passed(metrics)
    require_downloadable(settings.registry or model_uri)
    cluster = connect(settings.namespace)
    require_rights(cluster, settings.service_name)
    return cluster


def _require_run(run_id: str) -> None:
    if not run_id:
        fix = "Deploy from a run of the pipeline, or without a registry"
        raise InputError("run_id", "is empty, but names the model in the registry", fix)


def _require_labels_of(task: Task, model: Path) -> None:
    names = bundle.read_labels(model).names
    if names != task.names:
        thing, rule = f"model {model}", f"has the labels {', '.join(names)}, not {task.name}'s"
        raise InputError(thing, rule, "Deploy it with the task that it was trained for")


def _facts(manifest: bundle.Manifest, metrics: Mapping[str, Any], run_id: str) -> dict[str, str]:
    if missing := [name for name in _ANNOTATED_METRICS if name not in metrics]:
        raise InputError(f"metrics {list(metrics)}", f"lack {missing}", "Evaluate the model again")
    facts = {name: f"{metrics[name]:.4f}" for name in _ANNOTATED_METRICS}
    verdicts = {None: "unknown", True: "passed", False: "failed"}
    facts["gate"] = verdicts[(metrics.get("gate") or {}).get("passed")]
    return facts | {"model-sha256": manifest.sha256, "run": run_id or "none"}


def _service(settings: DeploySettings, model_uri: str, facts: Mapping[str, str]) -> Manifest:
    known = {**facts, "model-uri": model_uri}
    notes = {FACT.format(name): fact for name, fact in known.items()}
    return inference_service(settings.service_name, model_uri, settings.image, notes, settings.mode)


def _try_out(
    service_name: str, task: Task, sentences: Sequence[Sentence], model: Path, folder: Path
) -> None:
    _log.info("deploy: starting the predictor")
    options = ["--log-requests"]
    with running_predictor(model, service_name, folder / LOG, options=options) as url:
        result = smoke(url, service_name, task.names, sentences)
    log_result(result)
    (folder / SMOKE).write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
