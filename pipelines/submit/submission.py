"""A compiled pipeline on Kubeflow: uploaded once, run or scheduled, and watched until it ends."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kfp_server_api as api
from kfp import Client
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)
from urllib3.exceptions import HTTPError

from components.data_files import read_mapping
from components.errors import InputError
from pipelines.compile.resources import RESOURCES

PIPELINE = "emotion"
_EQUALS = 1
_ENDED = ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELED")


@dataclass(frozen=True)
class Job:
    """A run and the account that it runs as."""

    name: str
    """Name of the run or schedule."""
    experiment: str
    """Experiment that groups runs; it is created if it does not exist."""
    service_account: str
    """Service account of the run's pods."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Values of pipeline parameters; the others have the defaults that were compiled in."""


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
        InputError: If the file cannot be read or lacks a field.
    """
    body = read_mapping(path, "recurring run")
    try:
        return Schedule(
            name=body["display_name"],
            description=body["description"],
            service_account=body["service_account"],
            cron=cron or body["trigger"]["cron_schedule"]["cron"],
            max_concurrency=int(body["max_concurrency"]),
            no_catchup=body["no_catchup"],
        )
    except (KeyError, TypeError, ValueError) as error:
        rule = f"is not a recurring run ({type(error).__name__}: {error})"
        raise InputError(f"recurring run {path}", rule, "Start from the shipped one") from error


def upload(client: Client, package: Path) -> api.V2beta1PipelineVersion:
    """Upload a compiled pipeline, unless a version with the same content exists.

    Args:
        client: Connected to Kubeflow Pipelines.
        package: The compiled pipeline.

    Returns:
        The version, named by a hash of the content.
    """
    name = f"{PIPELINE}-{hashlib.sha256(package.read_bytes()).hexdigest()[:16]}"
    pipeline_id = _pipeline_id(client)
    found = client.list_pipeline_versions(pipeline_id, filter=_named(name)).pipeline_versions
    if found:
        return found[0]
    return client.upload_pipeline_version(str(package), name, pipeline_id=pipeline_id)


def start(client: Client, version: api.V2beta1PipelineVersion, job: Job) -> api.V2beta1Run:
    """Start a run of an uploaded pipeline."""
    return client.run_pipeline(
        _experiment_id(client, job.experiment),
        job.name,
        params=dict(job.parameters),
        pipeline_id=version.pipeline_id,
        version_id=version.pipeline_version_id,
        service_account=job.service_account,
    )


def schedule(
    client: Client, version: api.V2beta1PipelineVersion, job: Job, plan: Schedule
) -> api.V2beta1RecurringRun:
    """Schedule an uploaded pipeline.

    A schedule of the same name in the experiment is replaced, once the new one exists.
    """
    experiment_id = _experiment_id(client, job.experiment)
    listed = client.list_recurring_runs(
        page_size=100, experiment_id=experiment_id, filter=_named(job.name)
    )
    created = client.create_recurring_run(
        experiment_id,
        job.name,
        description=plan.description,
        cron_expression=plan.cron,
        max_concurrency=plan.max_concurrency,
        no_catchup=plan.no_catchup,
        params=dict(job.parameters),
        pipeline_id=version.pipeline_id,
        version_id=version.pipeline_version_id,
        service_account=job.service_account,
    )
    for old in listed.recurring_runs or []:
        client.delete_recurring_run(old.recurring_run_id)
    return created


def watch(
    client: Client,
    run_id: str,
    hours: float,
    say: Callable[[str], None],
    poll_seconds: float = 10.0,
) -> api.V2beta1Run:
    """Wait until a run has ended.

    Args:
        client: Connected to Kubeflow Pipelines; a request without an answer is repeated.
        run_id: The run.
        hours: Longest wait.
        say: Receives a line whenever a step changes its state.
        poll_seconds: Pause between two queries.

    Returns:
        The run, however it ended.

    Raises:
        InputError: If it has not ended by then; it keeps running.
    """
    reported: dict[str, str] = {}

    def look() -> api.V2beta1Run:
        run = client.get_run(run_id)
        for line in _changes(run, reported):
            say(line)
        return run

    poll = Retrying(
        retry=retry_if_result(lambda run: run.state not in _ENDED)
        | retry_if_exception(_is_passing),
        wait=wait_fixed(poll_seconds),
        stop=stop_after_delay(hours * 3600),
    )
    try:
        return poll(look)
    except RetryError as error:
        rule = f"has not ended after {hours:g} h"
        raise InputError(f"run {run_id}", rule, "It keeps running; look at it in the UI") from error


def failures(run: api.V2beta1Run) -> list[str]:
    """Reasons why a run did not succeed, one line per failed step; empty if it did."""
    if run.state == "SUCCEEDED":
        return []
    return [f"run {run.state}: {_message(run)}".rstrip(": ")] + [
        f"{task.display_name}: {_message(task)}".rstrip(": ")
        for task in _tasks(run)
        if task.state == "FAILED"
    ]


def _pipeline_id(client: Client) -> str:
    namespace = client.get_user_namespace() or None
    listed = client.list_pipelines(filter=_named(PIPELINE), namespace=namespace)
    if listed.pipelines:
        return str(listed.pipelines[0].pipeline_id)
    # Client.upload_pipeline would add a first version with a name that says nothing.
    body = api.V2beta1Pipeline(display_name=PIPELINE, name=PIPELINE, namespace=namespace)
    return str(client.pipelines.pipeline_service_create_pipeline(pipeline=body).pipeline_id)


def _experiment_id(client: Client, name: str) -> str:
    return str(client.create_experiment(name).experiment_id)


def _named(name: str) -> str:
    predicate = {"operation": _EQUALS, "key": "display_name", "stringValue": name}
    return json.dumps({"predicates": [predicate]})


def _is_passing(error: BaseException) -> bool:
    """True if another request may succeed."""
    if isinstance(error, api.ApiException):
        return int(error.status) == 429 or int(error.status) >= 500
    return isinstance(error, HTTPError)


def _changes(run: api.V2beta1Run, reported: dict[str, str]) -> list[str]:
    lines = []
    for task in _tasks(run):
        if task.display_name in RESOURCES and reported.get(task.task_id) != task.state:
            reported[task.task_id] = task.state
            lines.append(f"{task.display_name}: {str(task.state).lower()}")
    return lines


def _tasks(run: api.V2beta1Run) -> list[api.V2beta1PipelineTaskDetail]:
    return (run.run_details and run.run_details.task_details) or []


def _message(thing: Any) -> str:
    return str(thing.error.message) if thing.error else ""
