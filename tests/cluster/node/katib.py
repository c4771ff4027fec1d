"""Katib, as its own manifests install it, with its database on the node.

The algorithms that Katib ships in Python run here as it ships them in Go: `goptuna` has the same
names, and what it proposes is not what is tested.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import wait_for_kinds
from tests.cluster.node.addresses import NODE
from tests.cluster.node.cluster import Cluster
from tests.cluster.node.containers import load_program
from tests.cluster.node.machine import Machine
from tests.cluster.overlays import NAMESPACE
from tests.cluster.programs.build import source
from tests.manifests.rendering import MANIFESTS

_KUBEFLOW = "kubeflow"
_PROGRAMS = ("controller", "db-manager", "metrics-collector", "suggestion")
_OVERLAY = Path(__file__).parent / "katib-manifests"
_SHIPPED = MANIFESTS / "examples" / "katib-config.yaml"
_IMAGES = {
    "ghcr.io/kubeflow/katib/file-metrics-collector:v0.19.0": "metrics-collector",
    "ghcr.io/kubeflow/katib/suggestion-hyperopt:v0.19.0": "suggestion",
}
_REFERENCE = "${trialParameters.rate}"
_JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "spec": {
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "trial", "image": "none", "args": [_REFERENCE]}],
            }
        }
    },
}
_PROBE: dict[str, Any] = {
    "apiVersion": "kubeflow.org/v1beta1",
    "kind": "Experiment",
    "metadata": {"name": "probe", "namespace": NAMESPACE},
    "spec": {
        "objective": {"type": "maximize", "objectiveMetricName": "score"},
        "algorithm": {"algorithmName": "random"},
        "parameters": [
            {"name": "rate", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}
        ],
        "trialTemplate": {
            "primaryContainerName": "trial",
            "trialParameters": [{"name": "rate", "reference": "rate"}],
            "trialSpec": _JOB,
        },
    },
}


def install(cluster: Cluster, programs: Mapping[str, Path]) -> None:
    """Install the controller, and wait until its webhooks answer.

    Args:
        cluster: Where to; it has the product's namespace, with Katib's label.
        programs: Paths by name, as `build` returns them.
    """
    machine = cluster.machine
    _start_database(machine)
    for each in _PROGRAMS:
        load_program(machine, _image(each), programs[f"katib-{each}"])
    cluster.kubectl("apply", "--server-side", "-k", _manifests(machine.folder))
    wait_for_kinds(cluster.server)
    cluster.hand_over_certificates(_KUBEFLOW, ["katib-webhook-cert"])
    cluster.wait_for_pods(_KUBEFLOW)
    cluster.wait_for_webhooks([_PROBE])


def _start_database(machine: Machine) -> None:
    folder = machine.folder / "mariadb"
    folder.mkdir()
    start = machine.folder / "mariadb.sql"
    start.write_text("CREATE DATABASE katib;\n")
    # Without tables of grants there are no accounts: whoever reaches the node is root.
    options = ["--no-defaults", "--skip-grant-tables", "--user=root"]
    where = [f"--datadir={folder}", f"--socket={folder}/socket", f"--bind-address={NODE}"]
    machine.spawn("mariadb", ["mariadbd", *options, *where, f"--init-file={start}"])


def _manifests(folder: Path) -> Path:
    """Copy Katib's manifests, with the settings that the product ships."""
    copy = folder / "katib"
    shutil.copytree(source("katib", "github.com/kubeflow/katib") / "manifests" / "v1beta1", copy)
    overlay = shutil.copytree(_OVERLAY, copy / _OVERLAY.name)
    settings = _SHIPPED.read_text()
    for image, program in _IMAGES.items():
        assert image in settings, f"{_SHIPPED.name} wants another image than {image}"
        settings = settings.replace(image, _image(program))
    (overlay / "katib-config.yaml").write_text(settings)
    return overlay


def _image(program: str) -> str:
    return f"cluster.test/katib-{program}:1"
