"""Preflight's checks against a real API server."""

import time
import uuid
from unittest.mock import patch

import pytest
from kubernetes import client

from components.deploy.cluster import modes
from components.deploy.cluster.api import Cluster
from components.deploy.cluster.connection import connect
from components.deploy.cluster.modes import require_autoscaler
from components.deploy.settings import DeploySettings
from components.errors import ClusterError, InputError
from components.preflight import cluster_checks
from components.preflight.checks import NotCheckedError
from components.preflight.cluster_checks import require_gpu_node, require_kserve
from components.preflight.settings import GpuDemand
from tests.cluster import overlays
from tests.waiting import wait_for

pytestmark = pytest.mark.cluster
LABEL = {"accelerator": "l4"}
GPU = GpuDemand("nvidia.com/gpu", 2, LABEL)


@pytest.fixture
def admin(server):
    return Cluster(server.api("admin"), "default")


@pytest.fixture
def deployer(server):
    """The deployer, with its role in a namespace of its own."""
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    body = {"metadata": {"name": namespace}}
    client.CoreV1Api(server.api("admin")).create_namespace(body)
    overlays.give_deployer(server, namespace)
    token = server.token("deployer", namespace)
    return connect(kubeconfig=server.kubeconfig("deployer", namespace, token))


@pytest.fixture
def add_node(admin):
    """Adds a node with GPUs and the label; it is gone after the test."""
    nodes, added = client.CoreV1Api(admin.api), []

    def add(name, gpus, **spec):
        node = {"metadata": {"name": name, "labels": LABEL}, "spec": spec}
        nodes.create_node(node)
        added.append(name)
        # Capacity is what kubelet reports, not what a node is made with.
        nodes.patch_node_status(name, {"status": {"allocatable": {GPU.resource: str(gpus)}}})

    yield add
    for name in added:
        nodes.delete_node(name)


@pytest.fixture
def kserve(server):
    """The API server takes a moment until it serves a new kind."""
    definitions = client.ApiextensionsV1Api(server.api("admin"))
    for _ in range(300):
        kind = definitions.read_custom_resource_definition("inferenceservices.serving.kserve.io")
        if any(each.type == "Established" for each in kind.status.conditions or ()):
            return
        time.sleep(0.1)
    raise AssertionError("InferenceService is not served")


@pytest.mark.usefixtures("kserve")
def test_a_cluster_with_kserve_is_told_from_one_without(deployer):
    require_kserve(deployer)
    for kind in (("serving.kserve.io", "v9", "inferenceservices"), ("apps", "v1", "nothings")):
        with (
            patch.object(cluster_checks, "SERVICES", kind),
            pytest.raises(InputError, match=f"does not know {kind[2]} of {kind[0]}/{kind[1]}"),
        ):
            require_kserve(deployer)


@pytest.fixture
def elastic():
    """Settings of a deploy whose predictors follow the CPU."""
    return DeploySettings(target="kserve", mode="Standard", max_replicas=3)


@pytest.fixture
def away(admin):
    """A group of kinds whose own server is not there."""
    group, services = "away.test", client.ApiregistrationV1Api(admin.api)
    spec = {
        "group": group,
        "version": "v1beta1",
        "service": {"name": "none", "namespace": "default"},
        "insecureSkipTLSVerify": True,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
    }
    name = f"v1beta1.{group}"
    services.create_api_service({"metadata": {"name": name}, "spec": spec})
    yield group
    services.delete_api_service(name)


@pytest.mark.usefixtures("kserve")
def test_a_cluster_that_measures_pods_is_told_from_one_that_does_not(deployer, elastic):
    wait_for(lambda: deployer.described(modes.METRICS, "kind", str))
    require_autoscaler(deployer, elastic)
    with (
        patch.object(modes, "METRICS", "/apis/metrics.none.test/v1beta1"),
        pytest.raises(InputError, match=r"max_replicas=3: needs metrics-server"),
    ):
        require_autoscaler(deployer, elastic)


def test_a_metrics_server_that_does_not_answer_is_named(deployer, elastic, away):
    said = rf"{away}/v1beta1: 503.*kubectl get apiservices"
    with patch.object(modes, "METRICS", f"/apis/{away}/v1beta1"):
        with pytest.raises(ClusterError, match=said):
            # Before the server has read the registration the group is not known at all.
            wait_for(lambda: deployer.described(modes.METRICS, "kind", str))
        with pytest.raises(ClusterError, match=said):
            require_autoscaler(deployer, elastic)


def test_a_node_with_enough_gpus_and_the_labels_is_found(admin, add_node):
    add_node("small", 1)
    with pytest.raises(
        InputError, match=r"none offers 2 nvidia.com/gpu and the labels accelerator=l4"
    ):
        require_gpu_node(admin, GPU)
    add_node("large", 2)
    require_gpu_node(admin, GPU)
    with pytest.raises(InputError, match="accelerator=h100"):
        require_gpu_node(admin, GpuDemand(GPU.resource, 1, {"accelerator": "h100"}))


def test_a_node_that_takes_no_pods_does_not_count(admin, add_node):
    add_node("leaving", 8, unschedulable=True)
    with pytest.raises(InputError, match="none offers 2"):
        require_gpu_node(admin, GPU)


def test_an_account_that_may_not_list_nodes_is_no_problem(deployer):
    with pytest.raises(NotCheckedError, match="does not show its nodes: 403 Forbidden"):
        require_gpu_node(deployer, GPU)
