"""Security, volumes and resources of the pods that train on a cluster."""

from dataclasses import dataclass
from typing import Any

from components.errors import InputError, require_between

SCRATCH = "/tmp"  # noqa: S108
"""Folder of the pod that training may write to."""
GRACE_SECONDS = 75
"""Time for a checkpoint after SIGTERM."""

_USER_ID = 1000
_SHARED_MEMORY = "/dev/shm"  # noqa: S108


@dataclass(frozen=True)
class PodResources:
    """Resources of one pod.

    Args:
        cpu: Processor cores, as a Kubernetes quantity.
        memory: Memory, as a Kubernetes quantity.
        gpus: Whole GPUs; 0 for none.
        gpu_resource: Kubernetes name of the GPUs.
    """

    cpu: str = "4"
    memory: str = "16Gi"
    gpus: int = 1
    gpu_resource: str = "nvidia.com/gpu"

    def __post_init__(self) -> None:
        require_between("gpus", self.gpus, 0, 64)
        for name in ("cpu", "memory"):
            if not getattr(self, name):
                raise InputError(f"{name}={getattr(self, name)!r}", "is empty", "Give a quantity")

    def to_manifest(self) -> dict[str, Any]:
        """Build `resources` of a container."""
        gpus = {self.gpu_resource: str(self.gpus)} if self.gpus else {}
        return {
            "requests": {"cpu": self.cpu, "memory": self.memory, **gpus},
            "limits": {"memory": self.memory, **gpus},
        }


def environment() -> list[dict[str, str]]:
    """List the container's variables: libraries keep caches below HOME."""
    return [{"name": "HOME", "value": SCRATCH}]


def container(name: str) -> dict[str, Any]:
    """Build the part of a container that all trainings share; its root file system is read-only."""
    return {
        "name": name,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "scratch", "mountPath": SCRATCH},
            {"name": "shared-memory", "mountPath": _SHARED_MEMORY},
        ],
    }


def pod(only: dict[str, Any]) -> dict[str, Any]:
    """Build the specification of a pod with one container that the `restricted` standard admits."""
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER_ID,
            "fsGroup": _USER_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [only],
        # The processes of a pod exchange gradients through shared memory.
        "volumes": [
            {"name": "scratch", "emptyDir": {}},
            {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        ],
    }
