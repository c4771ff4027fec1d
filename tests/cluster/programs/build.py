"""Builds the programs of a cluster from Go modules, each pinned by its go.sum, once.

`python -m tests.cluster.programs.build` builds what is missing and says how long each took.
"""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

MODULES = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "emotion-pipeline"

_KUBERNETES = "1.34.4"
_PACKAGES = {
    "etcd": {"etcd": "go.etcd.io/etcd/server/v3"},
    "kubernetes": {
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-proxy",
            "kube-scheduler",
            "kubelet",
        )
    },
    "pause": {"pause": "."},
    "coredns": {"coredns": "github.com/coredns/coredns"},
    "kube-router": {"kube-router": "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"},
    "kserve": {"kserve-manager": "github.com/kserve/kserve/cmd/manager"},
    "seaweedfs": {"weed": "github.com/seaweedfs/seaweedfs/weed"},
    "flux": {
        name: f"github.com/fluxcd/{name}" for name in ("kustomize-controller", "source-controller")
    },
    "argo-cd": {"argo-cd-extract": "."},
    "trainer": {
        "trainer-manager": "github.com/kubeflow/trainer/v2/cmd/trainer-controller-manager",
        "jobset-manager": "sigs.k8s.io/jobset",
    },
    "metrics-server": {"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"},
    "katib": {
        name: f"github.com/kubeflow/katib/cmd/{path}"
        for name, path in {
            "katib-controller": "katib-controller/v1beta1",
            "katib-db-manager": "db-manager/v1beta1",
            "katib-metrics-collector": "metricscollector/v1beta1/file-metricscollector",
            "katib-suggestion": "suggestion/goptuna/v1beta1",
        }.items()
    },
}
API_SERVER = ("etcd", "kubernetes")
"""The modules that an API server without a cluster needs."""
ADDED = ("trainer", "metrics-server", "katib")
"""The modules of controllers that tests add to a cluster: Trainer's, an autoscaler's, Katib's."""
CLUSTER = tuple(name for name in _PACKAGES if name not in {"flux", "argo-cd", *ADDED})
"""The modules that a cluster with the pipeline needs."""

# Clients ask the API server and kubelet for their version, which Kubernetes' own build sets so.
_LINKER = [
    "-s -w",
    f"-X k8s.io/component-base/version.gitVersion=v{_KUBERNETES}",
    f"-X k8s.io/component-base/version.gitMajor={_KUBERNETES.split('.', maxsplit=1)[0]}",
    f"-X k8s.io/component-base/version.gitMinor={_KUBERNETES.split('.')[1]}",
    "-X k8s.io/component-base/version.gitTreeState=clean",
]


def build(modules: Iterable[str] = CLUSTER) -> Mapping[str, Path]:
    """Build what is not in the cache.

    Args:
        modules: Folders beside this file.

    Returns:
        The programs by name.

    Raises:
        AssertionError: If Go is not installed.
        subprocess.CalledProcessError: If a build fails; the compiler has said why.
    """
    programs = {}
    for module in modules:
        folder = _folder(module)
        if not folder.is_dir():
            _build(module, folder)
        programs |= {name: folder / name for name in _PACKAGES[module]}
    return programs


def source(module: str, package: str) -> Path:
    """The folder of a module's sources, for the manifests that lie beside them."""
    command = ["go", "mod", "download", "-json", package]
    told = subprocess.run(
        command, cwd=MODULES / module, check=True, text=True, stdout=subprocess.PIPE
    )
    return Path(json.loads(told.stdout)["Dir"])


def _folder(module: str) -> Path:
    content = hashlib.sha256("".join(_LINKER).encode())
    for path in sorted((MODULES / module).iterdir()):
        content.update(path.read_bytes())
    return CACHE / "programs" / f"{module}-{content.hexdigest():.12}"


def _build(module: str, folder: Path) -> None:
    assert shutil.which("go"), "go is not installed: https://go.dev/dl/"
    started = time.monotonic()
    partial = folder.with_name(f"{folder.name}.partial")
    for name, package in _PACKAGES[module].items():
        command = ["go", "build", "-trimpath", "-ldflags", " ".join(_LINKER)]
        subprocess.run(
            [*command, "-o", partial / name, package],
            cwd=MODULES / module,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"},
            check=True,
        )
        took, started = time.monotonic() - started, time.monotonic()
        print(f"built {name} in {took:.0f} s", flush=True)  # noqa: T201
    partial.rename(folder)


if __name__ == "__main__":
    build((*CLUSTER, *ADDED))
