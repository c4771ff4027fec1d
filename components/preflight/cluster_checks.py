"""Whether the cluster has what a run needs of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from components.deploy.cluster.api import SERVICES, Cluster
from components.deploy.settings import DeploySettings
from components.errors import InputError
from components.preflight.checks import NotCheckedError
from components.preflight.settings import GpuDemand

_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")


def require_kserve(cluster: Cluster) -> None:
    """Refuse a cluster that does not know KServe's InferenceService.

    Raises:
        InputError: If it does not.
        NotCheckedError: If the cluster does not tell.
    """
    from kubernetes.client import CustomObjectsApi

    group, version, resource = SERVICES
    with _explained("its kinds", missing_is_fine=True):
        kinds = CustomObjectsApi(cluster.api).get_api_resources(group, version).resources
        if resource in {kind.name for kind in kinds}:
            return
    rule = f"does not know {resource} of {group}/{version}"
    raise InputError("cluster", rule, "Install KServe, or choose another deploy_target")


def require_digest(settings: DeploySettings) -> None:
    """Refuse an image of the predictor that could change under a service's feet.

    Raises:
        InputError: If the image is not named by its digest.
    """
    if not _DIGEST.fullmatch(settings.image):
        rule = "is not pinned by a digest, so that a later pod may run another program"
        fix = "Compile with the lock: make lock, then make compile LOCK=images/lock.yaml"
        raise InputError(f"image of the predictor {settings.image}", rule, fix)


def require_gpu_node(cluster: Cluster, gpu: GpuDemand) -> None:
    """Refuse a cluster without a node for the steps that need a GPU.

    Nodes that are made on demand are not there yet. Only an account that may list nodes finds
    them missing.

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
        rule = f"have no {gpu.count} {gpu.resource}{labels} to offer"
        fix = "Add a node pool with GPUs, or correct `gpu` in the compile settings"
        raise InputError("nodes of the cluster", rule, fix)


def _has(node: Any, gpu: GpuDemand) -> bool:
    allocatable = node.status.allocatable or {}
    return not node.spec.unschedulable and int(allocatable.get(gpu.resource, 0)) >= gpu.count


@contextmanager
def _explained(what: str, *, missing_is_fine: bool = False) -> Iterator[None]:
    """Tell a refusal of the API server from a problem of the run."""
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
