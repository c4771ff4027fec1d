"""The account of a deploy: the connection to its cluster, and its rights there."""

from pathlib import Path

from components.api_server import (
    POD,
    client_of,
    load_account,
    require_namespace,
)
from components.deploy.cluster.api import LEASES, RIGHTS, SERVICES, Cluster
from components.deploy.cluster.lease import lease_name
from components.errors import InputError
from components.kubeconfig import load_kubeconfig

_CONNECTIONS = 2
DEPLOYER = Path("/var/run/secrets/deployer")
"""Mount of the deploy step's secret `deployer-token`: `token`, `ca.crt` and `namespace`."""


def connect(
    namespace: str = "", kubeconfig: Path | None = None, deployer: Path = DEPLOYER, pod: Path = POD
) -> Cluster:
    """Connect as the deployer, else as the pod's service account, else by the kubeconfig.

    KFP has one service account for all steps, so only the deploy step mounts the deployer's token.
    A secret is filled some time after its creation: a mount that is incomplete is refused, since
    the deploy must never go on as another account.

    Args:
        namespace: Namespace to work in; empty for that of the account or the kubeconfig.
        kubeconfig: A kubeconfig file, which then comes first; None for kubectl's default.
        deployer: Mount of the deployer's secret; it may be missing.
        pod: Mount of the pod's service account; it may be missing.

    Raises:
        InputError: If none of them is there, the first that is there is incomplete, or the
            namespace has no name of one.
    """
    from kubernetes import client
    from urllib3 import Retry

    configuration = client.Configuration()
    # Every request may be repeated, and the network of a pod may come up some seconds late.
    configuration.retries = Retry(
        total=12,
        backoff_factor=0.5,
        backoff_max=8,
        allowed_methods=None,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
    )
    account = next((each for each in (deployer, pod) if each.is_dir()), None)
    if account and not kubeconfig:
        found = load_account(configuration, account)
    else:
        found = load_kubeconfig(configuration, kubeconfig)
        # Somebody waits for the answer, and may have named a server that is not there,
        # or whose certificate does not fit.
        configuration.retries = configuration.retries.new(connect=_CONNECTIONS, other=_CONNECTIONS)
    require_namespace(namespace or found)
    return Cluster(client_of(configuration), namespace or found)


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
