"""How the deploy step finds its cluster."""

from pathlib import Path
from typing import Any

from components.deploy.cluster.api import Cluster
from components.errors import InputError

DEPLOYER = Path("/var/run/secrets/deployer")
"""Where the deploy step mounts the secret `deployer-token`: `token`, `ca.crt` and `namespace`."""

_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def connect(
    namespace: str = "", kubeconfig: Path | None = None, deployer: Path = DEPLOYER
) -> Cluster:
    """Connect as the deployer, else as the pod's service account, else as the kubeconfig says.

    KFP has one service account for all steps, so the deploy step alone mounts the deployer's token.
    Tokens in files are read again every minute, since they rotate.

    Args:
        namespace: Namespace to work in; empty for that of the account or the kubeconfig.
        kubeconfig: Its file, in a pod too; None for that which kubectl would take.
        deployer: Folder in which the deployer's secret is mounted, if it is.

    Raises:
        InputError: If none of them is there, or the deployer's secret is not whole.
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
    found = "" if kubeconfig else _load_account(configuration, deployer)
    found = found or _load_kubeconfig(configuration, kubeconfig)
    return Cluster(client.ApiClient(configuration), namespace or found)


def _load_account(configuration: Any, deployer: Path) -> str:
    """Take the account whose files are there; its namespace, empty if none are."""
    from kubernetes import config
    from kubernetes.config.incluster_config import InClusterConfigLoader

    folder = deployer if deployer.is_dir() else _POD
    try:
        loader = InClusterConfigLoader(str(folder / "token"), str(folder / "ca.crt"))
        loader.load_and_set(configuration)
        return (folder / "namespace").read_text(encoding="utf-8").strip()
    except (config.ConfigException, OSError) as error:
        if folder == _POD:
            return ""
        # A secret is filled some time after it is made: never deploy as somebody else instead.
        fix = "Mount the secret deployer-token whole, once the cluster has filled it"
        raise InputError(f"account in {folder}", f"cannot be used: {error}", fix) from error


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
