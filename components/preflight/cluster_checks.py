"""Checks of the cluster: KServe, the predictor's image, GPU nodes."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from components.artifacts.jobs import EXPERIMENTS, TRAIN_JOBS
from components.deploy.cluster.api import SERVICES, Cluster
from components.deploy.settings import DeploySettings
from components.errors import InputError
from components.preflight.checks import NotCheckedError
from components.preflight.settings import GpuDemand
from components.train.cluster.search import TRIALS, space_for
from components.train.cluster.train_job import RUNTIME, RUNTIMES
from components.train.settings import TrainSettings

_VOLUMES_WITH_GATE, _VOLUMES = 33, 35
_PODS, _EVENTS = ("", "v1", "pods"), ("", "v1", "events")
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")


def require_kserve(cluster: Cluster) -> None:
    """Refuse a cluster that does not know KServe's InferenceService.

    Raises:
        InputError: If it does not.
        NotCheckedError: If the API server does not answer that.
    """
    _require_kind(cluster, SERVICES, "Install KServe, or choose another deploy_target")


def require_image_volumes(cluster: Cluster) -> None:
    """Refuse a cluster whose pods cannot mount the folder of an image.

    Source: ImageVolume in https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/

    Raises:
        InputError: If its version cannot.
        NotCheckedError: If its version can once it is told to.
        ClusterError: If the API server does not say.
    """
    minor = int(re.sub(r"\D.*", "", cluster.described("/version", "minor", str) or "") or 0)
    if minor < _VOLUMES_WITH_GATE:
        rule = f"is version 1.{minor}, which cannot mount the folder of an image"
        fix = f"Upgrade it to 1.{_VOLUMES}, or leave out deploy_options.model_images"
        raise InputError("Kubernetes", rule, fix)
    if minor < _VOLUMES:
        gate = "needs the feature gate ImageVolume on its API server and kubelets"
        raise NotCheckedError(f"Kubernetes 1.{minor} {gate}")


def require_digest(settings: DeploySettings) -> None:
    """Refuse an image of the predictor that could change while it is in service.

    Raises:
        InputError: If the image is not named by its digest.
    """
    if not _DIGEST.fullmatch(settings.image):
        rule = "is not pinned by a digest, so that a later pod may run another program"
        fix = "Compile with the lock: make lock, then make compile LOCK=images/lock.yaml"
        raise InputError(f"image of the predictor {settings.image}", rule, fix)


def require_training_pods(settings: TrainSettings, account: Callable[[], Cluster] | None) -> None:
    """Refuse a search or a training in pods of their own where these cannot be asked for.

    Args:
        settings: Of the train step.
        account: Connects as the account of the train step; None outside of a cluster.

    Raises:
        InputError: If this is no cluster, it has no Trainer or Katib, the namespace lacks the
            runtime, the account a right, or the batch cannot be shared.
        NotCheckedError: If the API server does not say which kinds it knows.
        ClusterError: If the API server does not answer.
    """
    if not account:
        wanted = f"train_nodes={settings.nodes}, train_search_parallel={settings.search_parallel}"
        rule = "trains in pods of a cluster, and this run is on one machine"
        fix = "Run the pipeline on Kubeflow, or set train_options.processes"
        raise InputError(wanted, rule, fix)
    # The settings refuse a batch that the processes of all nodes cannot share evenly.
    replace(settings, processes=settings.processes or max(settings.node_gpus, 1))
    if settings.search_trials:
        space_for(settings, settings.node_gpus)
    cluster = account()
    if settings.search_parallel > 1:
        _require_kind(cluster, EXPERIMENTS, "Install Katib, or set train_search_parallel=1")
        _require_rights(cluster, EXPERIMENTS, {TRIALS: ["list"]})
    if settings.nodes > 1:
        _require_kind(cluster, TRAIN_JOBS, "Install Kubeflow Trainer, or set train_nodes=1")
        _require_rights(cluster, TRAIN_JOBS, {})
        _require_runtime(cluster)


def _require_kind(cluster: Cluster, kind: tuple[str, str, str], fix: str) -> None:
    from kubernetes.client import CustomObjectsApi

    group, version, resource = kind
    with _explained("its kinds", missing_is_fine=True):
        known = CustomObjectsApi(cluster.api).get_api_resources(group, version).resources
        if resource in {each.name for each in known}:
            return
    raise InputError("cluster", f"does not know {resource} of {group}/{version}", fix)


def _require_rights(
    cluster: Cluster,
    kind: tuple[str, str, str],
    further: Mapping[tuple[str, str, str], Sequence[str]],
) -> None:
    """Refuse an account that cannot start a job of a kind, follow it and take it along."""
    rights = {kind: ["create", "get", "patch", "delete"], _PODS: ["list"], _EVENTS: ["list"]}
    lacking = [
        f"{verb} {each[2]}"
        for each, verbs in {**rights, **further}.items()
        for verb in verbs
        if not cluster.may(verb, each[0], each[2], "")
    ]
    if lacking:
        rule = f"may not {', '.join(lacking)}"
        fix = "Give it the role of manifests/base/service-accounts.yaml"
        raise InputError(f"account of the steps in namespace {cluster.namespace}", rule, fix)


def _require_runtime(cluster: Cluster) -> None:
    if not cluster.read(RUNTIMES, RUNTIME):
        rule = f"is not in namespace {cluster.namespace}"
        file = "manifests/examples/training-runtime.yaml"
        fix = f"kubectl --namespace {cluster.namespace} apply --filename {file}"
        raise InputError(f"TrainingRuntime {RUNTIME}", rule, fix)


def require_gpu_node(cluster: Cluster, gpu: GpuDemand) -> None:
    """Refuse a cluster without a node for the steps that need a GPU.

    Nodes that are created on demand do not exist yet, and only an account that may list nodes
    can check this.

    Raises:
        InputError: If no node fits.
        NotCheckedError: If this account may not list nodes.
    """
    from kubernetes.client import CoreV1Api

    selector = ",".join(f"{name}={value}" for name, value in gpu.node_selector.items())
    with _explained("its nodes"):
        nodes = CoreV1Api(cluster.api).list_node(label_selector=selector).items
    if not any(_has(node, gpu) for node in nodes):
        labels = f" and the labels {selector}" if selector else ""
        rule = f"none offers {gpu.count} {gpu.resource}{labels}"
        fix = "Add a node pool with GPUs, or correct `gpu` in the compile settings"
        raise InputError("nodes of the cluster", rule, fix)


def _has(node: Any, gpu: GpuDemand) -> bool:
    allocatable = (node.status and node.status.allocatable) or {}
    closed = node.spec and node.spec.unschedulable
    return not closed and int(allocatable.get(gpu.resource, 0)) >= gpu.count


@contextmanager
def _explained(what: str, *, missing_is_fine: bool = False) -> Iterator[None]:
    """Tell apart a refusal by the API server and a problem of the run."""
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        if not (missing_is_fine and error.status == 404):
            answer = f"{error.status} {error.reason}"
            raise NotCheckedError(f"the API server does not show {what}: {answer}") from error
    except HTTPError as error:
        fix = "Check that it is up and reachable"
        raise InputError("API server", f"does not answer: {error}", fix) from error
