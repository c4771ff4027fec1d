"""A compiled pipeline on Kubeflow: uploaded once, and run or scheduled."""

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import kfp_server_api as api
from kfp import Client

from components.data_files import read_mapping
from components.errors import InputError
from components.kfp_server import id_of, named
from pipelines.compile.compiler import pipeline_name, version_name
from pipelines.submit.connection import find_pipeline
from pipelines.submit.cron import read_cron

MLFLOW = "mlflow"
"""Name of KFP's MLflow plugin."""
ENDED = ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELED")
"""States of a run that does not change any more."""


@dataclass(frozen=True)
class Job:
    """A run and the account that it runs as."""

    name: str
    """Name of the run or schedule."""
    experiment: str
    """Experiment that groups runs; it is created if it does not exist."""
    service_account: str
    """Service account of the run's pods."""
    mlflow_experiment: str = ""
    """Experiment in MLflow, for KFP's own plugin; empty leaves it to KFP's settings."""

    @property
    def plugins_input(self) -> dict[str, Any] | None:
        """What KFP's plugins are told.

        Source: MLflowPluginInput in kubeflow/pipelines, backend/src/apiserver/plugins/mlflow
        """
        named = {"experiment_name": self.mlflow_experiment}
        return {MLFLOW: named} if self.mlflow_experiment else None


@dataclass(frozen=True)
class Schedule:
    """Times at which a recurring run starts, as `manifests/base/recurring-run.yaml` says."""

    name: str
    description: str
    service_account: str
    cron: str
    """Seconds, minutes, hours, day of month, month, day of week."""
    max_concurrency: int
    no_catchup: bool


def read_schedule(path: Path, cron: str = "") -> Schedule:
    """Read the body of a recurring run.

    Args:
        path: YAML file with the fields of KFP's V2beta1RecurringRun.
        cron: Replaces the file's cron expression.

    Raises:
        InputError: If the file cannot be read or lacks a field, or the expression is refused.
    """
    body = read_mapping(path, "recurring run")
    try:
        plan = Schedule(
            name=body["display_name"],
            description=body["description"],
            service_account=body["service_account"],
            cron=cron or str(body["trigger"]["cron_schedule"]["cron"]),
            max_concurrency=int(body["max_concurrency"]),
            no_catchup=body["no_catchup"],
        )
    except (KeyError, TypeError, ValueError) as error:
        rule = f"is not a recurring run ({type(error).__name__}: {error})"
        raise InputError(f"recurring run {path}", rule, "Start from the shipped one") from error
    return replace(plan, cron=read_cron(plan.cron))


@contextlib.contextmanager
def _without_links() -> Iterator[None]:
    """Keep back what kfp prints: links to a UI at the URL of the API, where there may be none."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


@_without_links()
def upload(client: Client, package: Path) -> api.V2beta1PipelineVersion:
    """Upload a compiled pipeline, unless a version with the same content exists.

    Args:
        client: Connected to Kubeflow Pipelines.
        package: The compiled pipeline.

    Returns:
        The version, named by a hash of the content.

    Raises:
        NotKubeflowError: If the answer names no version.
    """
    name = version_name(package)
    pipeline_id = _pipeline_id(client, pipeline_name(package))
    found = client.list_pipeline_versions(pipeline_id, filter=named(name)).pipeline_versions
    version = (
        found[0]
        if found
        else client.upload_pipeline_version(str(package), name, pipeline_id=pipeline_id)
    )
    id_of(version, "pipeline_version_id")
    return version


def start(
    client: Client, version: api.V2beta1PipelineVersion, job: Job, parameters: Mapping[str, Any]
) -> api.V2beta1Run:
    """Start a run of an uploaded pipeline with these values of its parameters."""
    # kfp's client has no argument for what plugins are told.
    run = api.V2beta1Run(
        experiment_id=_experiment_id(client, job.experiment),
        display_name=job.name,
        pipeline_version_reference=_reference(version),
        runtime_config=api.V2beta1RuntimeConfig(parameters=dict(parameters)),
        service_account=job.service_account,
        plugins_input=job.plugins_input,
    )
    return client.runs.run_service_create_run(run=run)


def schedule(
    client: Client,
    version: api.V2beta1PipelineVersion,
    job: Job,
    plan: Schedule,
    parameters: Mapping[str, Any],
) -> api.V2beta1RecurringRun:
    """Schedule an uploaded pipeline with these values of its parameters.

    A schedule of the same name in the experiment is replaced, once the new one exists. One with a
    run under way is only switched off: KFP deletes the run with it, unrecorded.
    """
    experiment_id = _experiment_id(client, job.experiment)
    listed = client.list_recurring_runs(
        page_size=100, experiment_id=experiment_id, filter=named(job.name)
    )
    recurring = api.V2beta1RecurringRun(
        experiment_id=experiment_id,
        display_name=job.name,
        description=plan.description,
        pipeline_version_reference=_reference(version),
        runtime_config=api.V2beta1RuntimeConfig(parameters=dict(parameters)),
        service_account=job.service_account,
        mode=api.RecurringRunMode.ENABLE,
        trigger=api.V2beta1Trigger(cron_schedule=api.V2beta1CronSchedule(cron=plan.cron)),
        max_concurrency=plan.max_concurrency,
        no_catchup=plan.no_catchup,
        plugins_input=job.plugins_input,
    )
    created = client.recurring_runs.recurring_run_service_create_recurring_run(
        recurring_run=recurring
    )
    replaced = [old.recurring_run_id for old in listed.recurring_runs or []]
    for old in replaced:
        client.disable_recurring_run(old)
    # Once they are off no further run begins.
    under_way = _under_way(client, experiment_id) if replaced else set()
    for old in replaced:
        if old not in under_way:
            client.delete_recurring_run(old)
    return created


def _under_way(client: Client, experiment_id: str) -> set[str]:
    """The schedules whose last runs have not ended."""
    newest = client.list_runs(
        page_size=100, sort_by="created_at desc", experiment_id=experiment_id
    ).runs
    return {run.recurring_run_id for run in newest or [] if run.state not in ENDED}


def _pipeline_id(client: Client, name: str) -> str:
    if found := find_pipeline(client, name):
        return found
    # Client.upload_pipeline would add a first version with a name that says nothing.
    namespace = client.get_user_namespace() or None
    body = api.V2beta1Pipeline(display_name=name, name=name, namespace=namespace)
    return id_of(client.pipelines.pipeline_service_create_pipeline(pipeline=body), "pipeline_id")


def _reference(version: api.V2beta1PipelineVersion) -> api.V2beta1PipelineVersionReference:
    return api.V2beta1PipelineVersionReference(
        pipeline_id=version.pipeline_id, pipeline_version_id=version.pipeline_version_id
    )


@_without_links()
def _experiment_id(client: Client, name: str) -> str:
    return id_of(client.create_experiment(name), "experiment_id")
