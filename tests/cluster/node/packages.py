"""This machine's Python packages as a volume, from which pods on the cluster get torch.

The train step's own image holds gigabytes of torch, too much to build for a test of the cluster.
Here its pods run evaluate's image, which has all of the product's code, and a read-only volume
brings the packages of the environment that runs the tests, for the same Python. A policy adds the
volume to pods with the label of trainings, so that their manifests stay as shipped. Whether the
product's image has what training needs is shown by `make test-images`.
"""

import sysconfig
from pathlib import Path
from typing import Any

from components.train.cluster.pods import LABEL

_NAME, _PLACE = "packages", "/packages"
_WITH_PACKAGES = f"""
Object{{spec: Object.spec{{
  volumes: [Object.spec.volumes{{
    name: "{_NAME}",
    persistentVolumeClaim: Object.spec.volumes.persistentVolumeClaim{{
      claimName: "{_NAME}", readOnly: true
    }}
  }}],
  containers: [Object.spec.containers{{
    name: object.spec.containers[0].name,
    env: [Object.spec.containers.env{{name: "PYTHONPATH", value: "{_PLACE}"}}],
    volumeMounts: [Object.spec.containers.volumeMounts{{
      name: "{_NAME}", mountPath: "{_PLACE}", readOnly: true
    }}]
  }}]
}}}}
"""

Resource = dict[str, Any]


def packages(namespace: str) -> list[Resource]:
    """The volume, the namespace's claim to it, and the policy that adds it to pods."""
    return [*_volume(namespace), *_policy()]


def _volume(namespace: str) -> list[Resource]:
    # Pod Security admits a claim, but not a folder of the host.
    folder = Path(sysconfig.get_path("purelib")).resolve()
    shared: Resource = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    size = {"storage": "1Gi"}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": _NAME},
            "spec": {**shared, "capacity": size, "hostPath": {"path": str(folder)}},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": _NAME, "namespace": namespace},
            "spec": {**shared, "volumeName": _NAME, "resources": {"requests": size}},
        },
    ]


def _policy() -> list[Resource]:
    version = "admissionregistration.k8s.io/v1beta1"
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
    trainings = {"matchExpressions": [{"key": LABEL, "operator": "Exists"}]}
    change = {
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {"expression": _WITH_PACKAGES},
    }
    return [
        {
            "apiVersion": version,
            "kind": "MutatingAdmissionPolicy",
            "metadata": {"name": _NAME},
            "spec": {
                "matchConstraints": {
                    "resourceRules": [{**pods, "operations": ["CREATE"]}],
                    "objectSelector": trainings,
                },
                "reinvocationPolicy": "Never",
                "mutations": [change],
            },
        },
        {
            "apiVersion": version,
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": _NAME},
            "spec": {"policyName": _NAME},
        },
    ]
