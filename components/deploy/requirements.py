"""Checks before a deploy to a cluster begins; they take a second."""

import re

from components.deploy.cluster.api import LEASES, RIGHTS, SERVICES, Cluster
from components.deploy.cluster.lease import lease_name
from components.errors import InputError

# The schemes that KServe's storage initializer downloads from.
_DOWNLOADABLE = re.compile(r"(gs|s3|minio|pvc|hf|https?|hdfs|webhdfs|oci)://.+")


def require_downloadable(model_uri: str) -> None:
    """Refuse a model folder that no pod of a cluster could download.

    Raises:
        InputError: If KServe cannot download from there.
    """
    if not _DOWNLOADABLE.fullmatch(model_uri):
        rule = "is not a place that KServe downloads from"
        raise InputError(f"model URI {model_uri!r}", rule, "Set a registry such as gs://bucket/dir")


def require_rights(cluster: Cluster, service_name: str) -> None:
    """Refuse an account that would fail half-way, and name all the rights that it lacks.

    Raises:
        InputError: If a right is missing.
        ClusterError: If the API server does not answer.
    """
    names = {SERVICES[::2]: service_name, LEASES[::2]: lease_name(service_name)}
    missing = [
        f"{verb} {resource}"
        for (group, resource), verbs in RIGHTS.items()
        for verb in verbs
        # The right to create or list cannot be restricted to a name.
        if not cluster.may(
            verb, group, resource, "" if verb == "create" else names.get((group, resource), "")
        )
    ]
    if missing:
        rule = f"may not {', '.join(missing)}"
        fix = "Give it the role of manifests/base/deployer.yaml"
        raise InputError(f"account in namespace {cluster.namespace}", rule, fix)
