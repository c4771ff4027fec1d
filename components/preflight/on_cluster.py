"""Whether the cluster has what a run needs of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from components.checks import InputError
from components.deploy.cluster import SERVICES
from components.deploy.connection import connect
from components.deploy.preflight import require_downloadable, require_rights
from components.deploy.settings import DeploySettings
from components.preflight.place import Gpu
from components.preflight.side_by_side import NotChecked

_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")


def require_kserve(settings: DeploySettings) -> None:
    """Refuse a cluster that does not know KServe's InferenceService.

    Raises:
        InputError: If it does not, or cannot be asked.
    """
    from kubernetes import client

    group, version, resource = SERVICES
    objects = client.CustomObjectsApi(connect(settings.namespace).api)
    with _explained("InferenceService"):
        served = objects.get_api_resources(group, version).resources
        if resource not in {each.name for each in served}:
            raise _no_kserve()


def require_deployer(settings: DeploySettings) -> None:
    """Refuse an account that may not do all that deploying takes.

    Raises:
        InputError: If a right is missing, or the cluster cannot be asked.
    """
    require_rights(connect(settings.namespace), settings.service_name)


def require_digest(settings: DeploySettings) -> None:
    """Refuse an image of the predictor that could change under a service's feet.

    Raises:
        InputError: If the image is not named by its digest.
    """
    if not _DIGEST.fullmatch(settings.image):
        rule = "is not pinned by a digest, so that a later pod may run another program"
        fix = "Compile with the lock: make lock, then make compile LOCK=images/lock.yaml"
        raise InputError(f"image of the predictor {settings.image}", rule, fix)


def require_storage(settings: DeploySettings) -> None:
    """Refuse a registry that no pod could download a model from.

    Raises:
        InputError: If KServe does not know how to.
    """
    if settings.registry:
        require_downloadable(settings.registry)


def require_gpu_node(gpu: Gpu) -> None:
    """Refuse a cluster without a node for the steps that need a GPU.

    Nodes that are made on demand are not there yet. Only an account that may list nodes finds
    them missing.

    Raises:
        InputError: If no node fits.
        NotChecked: If this account may not list nodes.
    """
    from kubernetes import client

    selector = ",".join(f"{name}={value}" for name, value in gpu.node_selector.items())
    with _explained("nodes"):
        nodes = client.CoreV1Api(connect().api).list_node(label_selector=selector).items
    if not any(_has(node, gpu) for node in nodes):
        labels = f" and the labels {selector}" if selector else ""
        rule = f"none has {gpu.count} {gpu.resource}{labels}"
        fix = "Add a node pool with GPUs, or correct `gpu` in the compile settings"
        raise InputError("nodes of the cluster", rule, fix)


def _has(node: Any, gpu: Gpu) -> bool:
    allocatable = node.status.allocatable or {}
    return not node.spec.unschedulable and int(allocatable.get(gpu.resource, 0)) >= gpu.count


def _no_kserve() -> InputError:
    group, version, resource = SERVICES
    fix = "Install KServe, or choose another deploy_target"
    return InputError("cluster", f"does not know {resource} of {group}/{version}", fix)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        if error.status == 404:
            raise _no_kserve() from error
        raise NotChecked(f"{what}: the API server answers {error.status}") from error
    except HTTPError as error:
        fix = "Check that it is up and reachable"
        raise InputError("API server", f"does not answer: {error}", fix) from error
