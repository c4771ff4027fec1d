"""Who may reach whom, tried from pods, and what Pod Security refuses."""

import pytest
from kubernetes.client import ApiException

from tests.cluster.overlays import NAMESPACE
from tests.cluster.real.site import PREDICTOR, is_ready, wait_for

pytestmark = pytest.mark.cluster

_STEP = {"workflows.argoproj.io/workflow": "run"}
_PODS = {
    "deploy": (NAMESPACE, {**_STEP, "emotion-pipeline/step": "deploy"}),
    "merge": (NAMESPACE, {**_STEP, "emotion-pipeline/step": "merge"}),
    "no-step": (NAMESPACE, {}),
    "stranger": ("default", {"emotion-pipeline/step": "deploy"}),
    "gateway": ("envoy-gateway-system", {}),
    "prometheus": ("monitoring", {"app.kubernetes.io/name": "prometheus"}),
    "grafana": ("monitoring", {"app.kubernetes.io/name": "grafana"}),
}
_PREDICTOR = "emotion-predictor.emotion"
_STORAGE = "seaweedfs.kubeflow"
_API_SERVER = "kubernetes.default"
_ALLOWED = [
    ("deploy", _PREDICTOR, 80),
    ("gateway", _PREDICTOR, 80),
    ("gateway", _PREDICTOR, 8081),
    ("prometheus", _PREDICTOR, 80),
    ("deploy", _STORAGE, 9000),
    ("merge", _STORAGE, 9000),
    ("predictor", _STORAGE, 9000),
    ("merge", _API_SERVER, 443),
]
_DENIED = [
    ("merge", _PREDICTOR, 80),
    ("no-step", _PREDICTOR, 80),
    ("stranger", _PREDICTOR, 80),
    ("grafana", _PREDICTOR, 80),
    ("no-step", _STORAGE, 9000),
    ("no-step", _API_SERVER, 443),
    ("predictor", _API_SERVER, 443),
]
# A firewall drops, or answers that it will not.
_REFUSED = {"timed out", "[Errno 111] Connection refused"}
_CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3])).close()
    print("open")
except OSError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def pods(everywhere, lock):
    """A pod for every part, and a predictor: their names and namespaces."""
    everywhere.clear()
    assert everywhere.deploy("old").succeeded
    core, found = everywhere.core, {}
    for name, (namespace, labels) in _PODS.items():
        if namespace not in {each.metadata.name for each in core.list_namespace().items}:
            core.create_namespace({"metadata": {"name": namespace}})
        core.create_namespaced_pod(namespace, _pod(name, labels, lock["deploy"]))
        found[name] = (name, namespace)
    wait_for(lambda: all(_is_ready(core, *each) for each in found.values()))
    (predictor,) = core.list_namespaced_pod(NAMESPACE, label_selector=PREDICTOR).items
    yield {**found, "predictor": (predictor.metadata.name, NAMESPACE)}
    for name, namespace in found.values():
        core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)


def _pod(name, labels, image):
    container = {
        "name": "main",
        "image": image,
        "command": ["sleep", "3600"],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "resources": {"requests": {"cpu": "10m"}},
    }
    spec = {
        "containers": [container],
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 0,
    }
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def _is_ready(core, name, namespace):
    return is_ready(core.read_namespaced_pod(name, namespace))


def connect(everywhere, pod, host, port, seconds=3):
    """What a pod gets when it connects: `open`, or the error."""
    name, namespace = pod
    program = ["python3", "-c", _CONNECT, host, str(port), str(seconds)]
    command = ["exec", name, f"--namespace={namespace}", "--", *program]
    return everywhere.node.kubectl(*command).strip()


@pytest.mark.parametrize(("who", "host", "port"), _ALLOWED)
def test_what_is_meant_to_talk_is_let_through(everywhere, pods, who, host, port):
    wait_for(lambda: connect(everywhere, pods[who], host, port) == "open", seconds=30)


@pytest.mark.parametrize(("who", "host", "port"), _DENIED)
def test_whoever_else_is_not(everywhere, pods, who, host, port):
    # Its name is found, so that it is not DNS that fails.
    wait_for(lambda: connect(everywhere, pods[who], host, port) in _REFUSED, seconds=30)


def test_a_pod_that_is_not_restricted_is_refused(everywhere, lock):
    pod = _pod("root", _STEP, lock["deploy"])
    pod["spec"]["securityContext"] = {}
    with pytest.raises(ApiException, match=r"violates PodSecurity .*restricted"):
        everywhere.core.create_namespaced_pod(NAMESPACE, pod)
