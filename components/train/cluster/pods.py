"""Account, keys, security, volumes and resources of the pods that train on a cluster."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components import storage
from components.errors import InputError, require_between

SCRATCH = "/tmp"  # noqa: S108
"""Folder of the pod that training may write to."""
GRACE_SECONDS = 75
"""Time for a checkpoint after SIGTERM."""
LABEL = "emotion-pipeline/training"
"""Label of the pods by which network policies know them; its value is the kind of training."""

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
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
            # Without a limit of its own a container gets that of the namespace's LimitRange.
            "limits": {"cpu": self.cpu, "memory": self.memory, **gpus},
        }


@dataclass(frozen=True)
class Access:
    """The account of the pods, and their way to object storage.

    Args:
        account: Service account; on GKE it carries the identity that Cloud Storage knows.
        keys: Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; empty for none.
        endpoint: URL of an S3-compatible store; empty for AWS and Cloud Storage.
        region: Region of the bucket; empty leaves it to the endpoint.
        variables: Further variables of the container, such as those of a step's.
        placement: Where the pods may run, as fields of a pod: `nodeSelector`, `tolerations`.
    """

    account: str = "runner"
    keys: str = ""
    endpoint: str = ""
    region: str = ""
    variables: Sequence[Mapping[str, Any]] = ()
    placement: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.account:
            fix = "Name a service account of the namespace"
            raise InputError("account", "is empty", fix)
        if self.endpoint and not re.match(r"https?://", self.endpoint):
            rule = "must begin with http:// or https://"
            raise InputError(f"endpoint={self.endpoint!r}", rule, "Give the whole URL")

    def environment(self) -> list[Mapping[str, Any]]:
        """List the container's variables, and HOME among them, below which libraries cache."""
        plain = {
            "HOME": SCRATCH,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.region,
        }
        variables = [{"name": name, "value": value} for name, value in plain.items() if value]
        return [*variables, *map(self._key, _KEYS if self.keys else ()), *self.variables]

    def _key(self, name: str) -> dict[str, Any]:
        reference = {"name": self.keys, "key": name}
        return {"name": name, "valueFrom": {"secretKeyRef": reference}}


def require_reachable(uri: str) -> None:
    """Refuse a folder that is not in object storage, which every node can reach.

    Raises:
        InputError: If it is on this machine, or nowhere.
    """
    storage.require_store(uri)
    if storage.local_path(uri):
        rule = "is not in object storage, which every node can reach"
        raise InputError(f"folder {uri!r}", rule, "Use gs:// or s3://")


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


def pod(only: dict[str, Any], access: Access) -> dict[str, Any]:
    """Build the specification of a pod with one container that the `restricted` standard admits."""
    return {
        "serviceAccountName": access.account,
        **access.placement,
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
