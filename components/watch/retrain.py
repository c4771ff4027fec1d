"""A run of the main pipeline, aimed at what the model expects to confuse in the traffic."""

import contextlib
import logging
import sys
from dataclasses import replace
from typing import Any

import kfp_server_api as api
from kfp import Client

from components import storage
from components.artifacts.evaluation import Evaluation
from components.artifacts.registry import Champion, evaluation_of_champion
from components.errors import InputError
from components.kfp_server import connect, explained, find_pipeline, id_of
from components.watch.findings import Findings
from components.watch.settings import WatchSettings

PIPELINE = "emotion"
"""Name of the main pipeline, and of the experiment of its runs."""

_FOLDER = "drift"
_log = logging.getLogger(__name__)


def retrain(settings: WatchSettings, champion: Champion, findings: Findings) -> str:
    """Start a run, once for each champion: another one would learn from the same rows again.

    The run's newest version decides its parameters. Only `generate_options.focus` is another: the
    champion's evaluation, with what is expected to be confused in the traffic in the place of what
    was confused on the validation split.

    Args:
        settings: Where Kubeflow Pipelines and the registry are.
        champion: The model in service.
        findings: What has drifted.

    Returns:
        The id of the run; empty if one was started before.

    Raises:
        InputError: If there is no Kubeflow Pipelines, or it has no main pipeline.
        WorkError: If it refuses the run, or a store does not answer.
    """
    evaluation = evaluation_of_champion(settings.registry)
    if evaluation is None:
        fix = "Deploy the next model with its evaluation, or set trigger=false"
        raise InputError(f"registry {settings.registry}", "keeps no evaluation to aim with", fix)
    name = f"{_FOLDER}/{champion.run_id}.json"
    focus = f"{settings.registry.rstrip('/')}/{name}"
    store = storage.open_store(settings.registry)
    if not store.replace(name, _aimed(evaluation, findings).to_json().encode(), 0):
        _log.info("watch: a run was started before, aimed at %s; remove it for another", focus)
        return ""
    try:
        with explained(settings.kfp_host):
            run_id = _start(
                connect(settings.kfp_host, settings.kfp_namespace, None), settings, focus
            )
    except BaseException:
        # Nothing was started, so that the next watch may try again.
        store.remove([name])
        raise
    _log.info("watch: started run %s, aimed at %s", run_id, focus)
    return run_id


def _aimed(evaluation: Evaluation, findings: Findings) -> Evaluation:
    confusion = findings.expected_confusion
    return replace(
        evaluation, validation=replace(evaluation.validation, confusion_matrix=confusion)
    )


def _start(client: Client, settings: WatchSettings, focus: str) -> str:
    pipeline_id = find_pipeline(client, PIPELINE)
    newest = (
        pipeline_id
        and client.list_pipeline_versions(
            pipeline_id, page_size=1, sort_by="created_at desc"
        ).pipeline_versions
    )
    if not newest:
        rule, fix = f"has no version of the pipeline {PIPELINE}", "Upload one first: make upload"
        raise InputError(settings.kfp_host, rule, fix)
    (version,) = newest
    # kfp prints links between the lines of the step.
    with contextlib.redirect_stdout(sys.stderr):
        experiment_id = id_of(client.create_experiment(PIPELINE), "experiment_id")
    options = {**_default(version.pipeline_spec, "generate_options"), "focus": focus}
    run = api.V2beta1Run(
        experiment_id=experiment_id,
        display_name=f"{PIPELINE}, after drift",
        pipeline_version_reference=api.V2beta1PipelineVersionReference(
            pipeline_id=pipeline_id,
            pipeline_version_id=id_of(version, "pipeline_version_id"),
        ),
        runtime_config=api.V2beta1RuntimeConfig(parameters={"generate_options": options}),
        service_account=settings.service_account,
    )
    return id_of(client.runs.run_service_create_run(run=run), "run_id")


def _default(spec: dict[str, Any], parameter: str) -> dict[str, Any]:
    """The value of a parameter in a version; one with settings of Kubernetes wraps its pipeline."""
    pipeline = spec.get("pipeline_spec", spec)
    value = pipeline["root"]["inputDefinitions"]["parameters"][parameter].get("defaultValue")
    return dict(value or {})
