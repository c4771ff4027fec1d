"""A run of the main pipeline, aimed at what the model expects to confuse in the traffic."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import kfp_server_api as api

from components import storage
from components.artifacts.evaluation import Evaluation
from components.artifacts.registry import Champion, evaluation_of_champion
from components.errors import InputError
from components.kfp_server import explained, id_of, named, require_objects
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
            run_id = _start(_client(settings), settings, focus)
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


def _start(client: api.ApiClient, settings: WatchSettings, focus: str) -> str:
    namespace = {"namespace": settings.kfp_namespace} if settings.kfp_namespace else {}
    pipelines = api.PipelineServiceApi(client)
    listed = pipelines.pipeline_service_list_pipelines(filter=named(PIPELINE), **namespace)
    versions: list[api.V2beta1PipelineVersion] = []
    for each in listed.pipelines or []:
        newest = pipelines.pipeline_service_list_pipeline_versions(
            id_of(each, "pipeline_id"), page_size=1, sort_by="created_at desc"
        )
        versions += newest.pipeline_versions or []
    if not versions:
        rule, fix = f"has no version of the pipeline {PIPELINE}", "Upload one first: make upload"
        raise InputError(settings.kfp_host, rule, fix)
    version = versions[0]
    options = {**_default(version.pipeline_spec, "generate_options"), "focus": focus}
    run = api.V2beta1Run(
        experiment_id=_experiment(client, namespace),
        display_name=f"{PIPELINE}, after drift",
        pipeline_version_reference=api.V2beta1PipelineVersionReference(
            pipeline_id=version.pipeline_id,
            pipeline_version_id=id_of(version, "pipeline_version_id"),
        ),
        runtime_config=api.V2beta1RuntimeConfig(parameters={"generate_options": options}),
        service_account=settings.service_account,
    )
    return id_of(api.RunServiceApi(client).run_service_create_run(run=run), "run_id")


def _experiment(client: api.ApiClient, namespace: dict[str, str]) -> str:
    service = api.ExperimentServiceApi(client)
    listed = service.experiment_service_list_experiments(filter=named(PIPELINE), **namespace)
    new = api.V2beta1Experiment(display_name=PIPELINE, **namespace)
    found = listed.experiments or [service.experiment_service_create_experiment(experiment=new)]
    return id_of(found[0], "experiment_id")


def _client(settings: WatchSettings) -> api.ApiClient:
    configuration = api.Configuration(host=settings.kfp_host.rstrip("/"))
    token = Path(settings.kfp_token_file)
    if token.is_file():
        configuration.api_key["authorization"] = token.read_text(encoding="utf-8").strip()
        configuration.api_key_prefix["authorization"] = "Bearer"
    client = api.ApiClient(configuration)
    require_objects(client)
    return client


def _default(spec: dict[str, Any], parameter: str) -> dict[str, Any]:
    """The value of a parameter in a version; one with settings of Kubernetes wraps its pipeline."""
    pipeline = spec.get("pipeline_spec", spec)
    value = pipeline["root"]["inputDefinitions"]["parameters"][parameter].get("defaultValue")
    return dict(value or {})
