"""How the deploy step finds its cluster."""

from pathlib import Path
from typing import Any

from components.checks import InputError
from components.deploy.cluster import Cluster

_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def connect(namespace: str = "", kubeconfig: Path | None = None) -> Cluster:
    """Connect as the pod's service account or, outside a cluster, as the kubeconfig says.

    Args:
        namespace: Namespace to work in; empty for the pod's own or the kubeconfig's.
        kubeconfig: Its file, in a pod too; None for that which kubectl would take.

    Raises:
        InputError: If neither is there.
    """
    from kubernetes import client
    from urllib3 import Retry

    configuration = client.Configuration()
    # Patience for an API server that restarts: 70 seconds in all. Every request may be sent twice.
    configuration.retries = Retry(
        total=12,
        backoff_factor=0.5,
        backoff_max=8,
        allowed_methods=None,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
    )
    found = _load_pod(configuration) if kubeconfig is None else ""
    found = found or _load_kubeconfig(configuration, kubeconfig)
    return Cluster(client.ApiClient(configuration), namespace or found)


def _load_pod(configuration: Any) -> str:
    from kubernetes import config

    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException:
        return ""
    return _POD_NAMESPACE.read_text(encoding="utf-8").strip()


def _load_kubeconfig(configuration: Any, path: Path | None) -> str:
    from kubernetes import config

    file = str(path) if path else None
    try:
        config.load_kube_config(file, client_configuration=configuration)
        _, context = config.list_kube_config_contexts(file)
    except config.ConfigException as error:
        fix = "Run in a pod, or set KUBECONFIG to the cluster's kubeconfig file"
        raise InputError("cluster", f"is not known: {error}", fix) from error
    return str(context["context"].get("namespace", "default"))
