"""This machine's Python packages as a volume, from which pods on the cluster get torch.

The train step's own image holds gigabytes of torch, too much to build for a test of the cluster.
Here its pods run evaluate's image, which has all of the product's code, and a read-only volume
brings the packages of the environment that runs the tests, for the same Python. Whether the
product's image has what training needs is shown by `make test-images`.
"""

import copy
import sysconfig
from pathlib import Path
from typing import Any

_NAME, _PLACE = "packages", "/packages"

Resource = dict[str, Any]


def volume(namespace: str) -> list[Resource]:
    """The volume and the namespace's claim to it, which Pod Security admits as no host's folder."""
    packages = Path(sysconfig.get_path("purelib")).resolve()
    shared: Resource = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    size = {"storage": "1Gi"}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": _NAME},
            "spec": {**shared, "capacity": size, "hostPath": {"path": str(packages)}},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": _NAME, "namespace": namespace},
            "spec": {**shared, "volumeName": _NAME, "resources": {"requests": size}},
        },
    ]


def with_packages(runtime: Resource) -> Resource:
    """A TrainingRuntime whose pods find the packages of the volume."""
    found = copy.deepcopy(runtime)
    (job,) = found["spec"]["template"]["spec"]["replicatedJobs"]
    pod = job["template"]["spec"]["template"]["spec"]
    claim = {"claimName": _NAME, "readOnly": True}
    pod["volumes"].append({"name": _NAME, "persistentVolumeClaim": claim})
    (container,) = pod["containers"]
    container["volumeMounts"].append({"name": _NAME, "mountPath": _PLACE, "readOnly": True})
    container["env"] = [{"name": "PYTHONPATH", "value": _PLACE}]
    return found
