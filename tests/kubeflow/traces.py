"""What the tests make on a Kubeflow, and remove again."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import kfp_server_api as api
from kfp import Client
from kubernetes import client as kubernetes

from components.deploy.cluster.lease import lease_name
from components.errors import StepError
from pipelines.emotion import NAME
from pipelines.submit.connection import find_pipeline
from tests.kubeflow.target import SERVICES, Target


@contextmanager
def without_traces(target: Target) -> Iterator[None]:
    """Remove whatever the block makes on a Kubeflow; in object storage artifacts and models stay.

    Raises:
        AssertionError: If a model is in service already, which the tests would replace.
    """
    services = kubernetes.CustomObjectsApi(target.kubernetes)
    place = (*SERVICES, target.namespace, "inferenceservices", target.service)
    with suppress(kubernetes.ApiException):
        services.get_namespaced_custom_object(*place)
        message = f"InferenceService {target.service} exists: these tests would replace its model"
        raise AssertionError(message)
    client = target.client
    before = _versions(client)
    try:
        yield
    finally:
        used = _remove_runs(client, target)
        # Other people may have uploaded some meanwhile.
        for pipeline, version in _versions(client) - before:
            if version in used:
                client.delete_pipeline_version(pipeline, version)
        if not before and (pipeline := find_pipeline(client, NAME)):
            client.delete_pipeline(pipeline)
        leases = kubernetes.CoordinationV1Api(target.kubernetes)
        with suppress(kubernetes.ApiException):
            leases.delete_namespaced_lease(lease_name(target.service), target.namespace)
        with suppress(kubernetes.ApiException):
            services.delete_namespaced_custom_object(*place)


def _remove_runs(client: Client, target: Target) -> set[str]:
    """Remove the runs and schedules of these tests; returns the versions that they used."""
    used: set[str] = set()
    with suppress(ValueError):
        experiment = client.get_experiment(experiment_name=target.name).experiment_id
        schedules = client.list_recurring_runs(experiment_id=experiment, page_size=100)
        for each in schedules.recurring_runs or []:
            used.add(each.pipeline_version_reference.pipeline_version_id)
            client.disable_recurring_run(each.recurring_run_id)
        runs: list[Any] = client.list_runs(experiment_id=experiment, page_size=100).runs or []
        for run in runs:
            used.add(run.pipeline_version_reference.pipeline_version_id)
            with suppress(api.ApiException, StepError):
                target.end(run.run_id)
            client.delete_run(run.run_id)
        # With a schedule KFP deletes the Workflows of its runs, whose end it then never sees.
        for each in schedules.recurring_runs or []:
            client.delete_recurring_run(each.recurring_run_id)
        client.delete_experiment(experiment)
    return used


def _versions(client: Client) -> set[tuple[str, str]]:
    pipeline = find_pipeline(client, NAME)
    if not pipeline:
        return set()
    listed = client.list_pipeline_versions(pipeline, page_size=100).pipeline_versions or []
    return {(pipeline, each.pipeline_version_id) for each in listed}
