"""kubelet, kube-proxy and the firewall of the cluster's only node."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.cluster.api_server import ApiServer
from tests.cluster.node.addresses import DNS_SERVICE, DOMAIN, NODE, PODS, SERVICES
from tests.cluster.node.containers import SOCKET
from tests.cluster.node.machine import Machine

NAME = "node"


def start_worker(machine: Machine, programs: Mapping[str, Path], server: ApiServer) -> None:
    """Start the node's programs; it registers itself."""
    _start_kubelet(machine, programs["kubelet"], server)
    proxy = [
        f"--kubeconfig={server.kubeconfig('system:kube-proxy', 'kube-system')}",
        f"--hostname-override={NAME}",
        f"--cluster-cidr={PODS}",
        "--proxy-mode=iptables",
        # Limits of the whole kernel, which are not this cluster's to set.
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    ]
    machine.spawn("kube-proxy", [programs["kube-proxy"], *proxy])


def start_firewall(machine: Machine, programs: Mapping[str, Path], server: ApiServer) -> None:
    """Start what enforces network policies; the node is registered."""
    arguments = [
        f"--kubeconfig={server.kubeconfig('admin', 'kube-system')}",
        f"--hostname-override={NAME}",
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        f"--service-cluster-ip-range={SERVICES}",
    ]
    machine.spawn("kube-router", [programs["kube-router"], *arguments])


def _start_kubelet(machine: Machine, program: Path, server: ApiServer) -> None:
    folder = machine.folder
    (folder / "resolv.conf").write_text("")
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(server.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{machine.group}",
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": DOMAIN,
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        # The disk is the machine's, and a test session ends soon.
        "evictionHard": {"memory.available": "100Mi"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "podLogsDir": str(folder / "pod-logs"),
        "registryPullQPS": 0,
        "resolvConf": str(folder / "resolv.conf"),
        "volumePluginDir": str(folder / "volume-plugins"),
    }
    path = folder / "kubelet.yaml"
    path.write_text(yaml.safe_dump(settings))
    arguments = [
        f"--config={path}",
        f"--kubeconfig={server.kubeconfig('system:node:node', 'kube-system')}",
        f"--hostname-override={NAME}",
        f"--node-ip={NODE}",
    ]
    machine.spawn("kubelet", [program, *arguments])
