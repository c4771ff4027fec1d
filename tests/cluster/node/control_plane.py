"""The API server, controller manager and scheduler of the cluster."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.api_server import ApiServer, Place
from tests.cluster.node.addresses import API_PORT, API_SERVICE, NODE, NODE_PODS
from tests.cluster.node.machine import Machine, Process

_PROXY = "front-proxy-client"


def start_api_server(machine: Machine, programs: Mapping[str, Path]) -> ApiServer:
    """Start etcd and an API server on the node's address, with all that pods need."""

    def start(_: Path, name: str, command: Sequence[str | Path]) -> Process:
        return machine.spawn(name, command)

    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", API_SERVICE)
    client, proxy = machine.folder / "kubelet-client", machine.folder / _PROXY
    flags = (
        "--allow-privileged=true",
        "--enable-admission-plugins=NodeRestriction",
        # `packages` changes pods by a policy, a kind that Kubernetes 1.34 does not serve by itself.
        "--feature-gates=MutatingAdmissionPolicy=true",
        "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-client-certificate={client}.crt",
        f"--kubelet-client-key={client}.key",
        # Servers behind the API server trust what its proxy says of a user.
        f"--proxy-client-cert-file={proxy}.crt",
        f"--proxy-client-key-file={proxy}.key",
        f"--requestheader-allowed-names={_PROXY}",
        f"--requestheader-client-ca-file={machine.folder / 'authority.crt'}",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    )
    place = Place(NODE, API_PORT, 2379, 2380, flags, names, start)
    server = ApiServer(programs, machine.folder, place)
    pair = server.authority.issue("kube-apiserver-kubelet-client", "system:masters")
    pair.write(machine.folder, client.name)
    server.authority.issue(_PROXY).write(machine.folder, _PROXY)
    server.start()
    return server


def start_controllers(machine: Machine, programs: Mapping[str, Path], server: ApiServer) -> None:
    """Start what acts on the API server's objects."""
    manager = "kube-controller-manager"
    arguments = [
        f"--kubeconfig={server.kubeconfig(f'system:{manager}', 'kube-system')}",
        f"--root-ca-file={server.certificate}",
        f"--service-account-private-key-file={server.accounts_key}",
        "--use-service-account-credentials=true",
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={NODE_PODS}",
        "--node-cidr-mask-size=24",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        # Tests wait for what autoscalers do, by default every 15 seconds and after 5 minutes.
        "--horizontal-pod-autoscaler-sync-period=5s",
        "--horizontal-pod-autoscaler-downscale-stabilization=15s",
    ]
    machine.spawn(manager, [programs[manager], *arguments])
    scheduler = "kube-scheduler"
    arguments = [
        f"--kubeconfig={server.kubeconfig(f'system:{scheduler}', 'kube-system')}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    ]
    machine.spawn(scheduler, [programs[scheduler], *arguments])
