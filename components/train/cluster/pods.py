"""What the pods that train on a cluster have in common."""

from dataclasses import dataclass
from typing import Any

from components.errors import InputError, require_between

SCRATCH = "/tmp"  # noqa: S108
"""The folder of the pod that training may write to."""
GRACE_SECONDS = 75
"""Time to write a checkpoint after SIGTERM."""

_USER_ID = 1000
_SHARED_MEMORY = "/dev/shm"  # noqa: S108


@dataclass(frozen=True)
class Resources:
    """What one pod gets.

    Args:
        cpu: Processor cores, as a Kubernetes quantity.
        memory: Memory, as a Kubernetes quantity.
        gpus: Whole GPUs; 0 for none.
        gpu_resource: Name under which the cluster hands out GPUs.
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
        """The `resources` of a container."""
        gpus = {self.gpu_resource: str(self.gpus)} if self.gpus else {}
        return {
            "requests": {"cpu": self.cpu, "memory": self.memory, **gpus},
            "limits": {"memory": self.memory, **gpus},
        }


def pod_security() -> dict[str, Any]:
    """The security context of a pod that the `restricted` standard admits."""
    return {
        "runAsNonRoot": True,
        "runAsUser": _USER_ID,
        "fsGroup": _USER_ID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> dict[str, Any]:
    """The security context of its container, whose own file system is read-only."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def volumes() -> list[dict[str, Any]]:
    """Scratch space, and shared memory in which the processes of a pod exchange gradients."""
    return [
        {"name": "scratch", "emptyDir": {}},
        {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
    ]


def volume_mounts() -> list[dict[str, Any]]:
    """Where the container finds them."""
    return [
        {"name": "scratch", "mountPath": SCRATCH},
        {"name": "shared-memory", "mountPath": _SHARED_MEMORY},
    ]


def environment() -> list[dict[str, str]]:
    """Variables of the container: libraries keep their caches below HOME."""
    return [{"name": "HOME", "value": SCRATCH}]
