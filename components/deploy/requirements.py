"""What must hold before a deploy to a cluster begins, found out in a second."""

import re
from collections.abc import Mapping
from typing import Any

from components.deploy.cluster.api import LEASES, RIGHTS, SERVICES, Cluster
from components.deploy.cluster.lease import lease_name
from components.errors import InputError

# What KServe's storage initializer downloads from.
_DOWNLOADABLE = re.compile(r"(gs|s3|minio|pvc|hf|https?|hdfs|webhdfs|oci)://.+")


def require_downloadable(model_uri: str) -> None:
    """Refuse a model folder that no pod of a cluster could get.

    Raises:
        InputError: If KServe does not know how to download from there.
    """
    if not _DOWNLOADABLE.fullmatch(model_uri):
        rule = "is nowhere that KServe downloads from"
        raise InputError(f"model URI {model_uri!r}", rule, "Set a registry such as gs://bucket/dir")


def require_passed(metrics: Mapping[str, Any]) -> None:
    """Refuse a model that its gate has refused.

    Raises:
        InputError: If it has, or was not asked.
    """
    if not (metrics.get("gate") or {}).get("passed"):
        rule = "do not say that the model has passed its gate"
        raise InputError("metrics", rule, "Deploy a model that has passed it")


def require_rights(cluster: Cluster, service_name: str) -> None:
    """Refuse an account that would fail on the way, with all that it lacks.

    Raises:
        InputError: If a right is missing.
    """
    names = {SERVICES[::2]: service_name, LEASES[::2]: lease_name(service_name)}
    missing = [
        f"{verb} {resource}"
        for (group, resource), verbs in RIGHTS.items()
        for verb in verbs
        # Whoever creates or lists cannot be held to a name.
        if not cluster.may(
            verb, group, resource, "" if verb == "create" else names.get((group, resource), "")
        )
    ]
    if missing:
        rule = f"may not {', '.join(missing)}"
        fix = "Give it the role of manifests/base/deployer-role.yaml"
        raise InputError(f"account in namespace {cluster.namespace}", rule, fix)
