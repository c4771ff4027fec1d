"""containerd and a registry, with what they read from files."""

import json
from pathlib import Path

from tests.cluster.node.addresses import LOCAL_REGISTRY, NODE_PODS, REGISTRY
from tests.cluster.node.machine import Machine, Process
from tests.cluster.node.small_image import write_image
from tests.images.registry import registry_command

SOCKET = "/run/containerd/containerd.sock"
PAUSE = "cluster.test/pause:1"

# Where root lacks CAP_SYS_RESOURCE a container cannot get a lower OOM score than its parent.
_CONTAINERD = """
version = 2
root = "{folder}/containerd"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{folder}/registries"
"""


def start_containerd(machine: Machine) -> Process:
    """Start containerd with a network in which pods are routed, so that the firewall sees them."""
    folder = machine.folder
    (folder / "cni").mkdir()
    (folder / "cni" / "pods.conflist").write_text(json.dumps(_pod_network()))
    for name in (REGISTRY, LOCAL_REGISTRY):
        registry = folder / "registries" / name
        registry.mkdir(parents=True)
        (registry / "hosts.toml").write_text(f'[host."http://{REGISTRY}"]\n')
    settings = folder / "containerd.toml"
    settings.write_text(_CONTAINERD.format(folder=folder, socket=SOCKET, pause=PAUSE))
    return machine.spawn("containerd", ["containerd", "--config", settings])


def start_registry(machine: Machine, storage: Path) -> Process:
    """Start a registry on the node's address.

    Args:
        machine: Where it runs.
        storage: Folder of the images, as another registry may have left it.
    """
    return machine.spawn("registry", registry_command(REGISTRY, storage, machine.folder))


def load_program(machine: Machine, name: str, program: Path) -> None:
    """Give containerd an image with nothing but a program, which it runs.

    Args:
        machine: Where containerd runs.
        name: The image's name, with its tag.
        program: Linked statically.
    """
    archive = machine.folder / "image.tar"
    write_image(archive, name, program)
    load = ["ctr", "--address", SOCKET, "--namespace", "k8s.io", "images", "import"]
    machine.run(*load, archive)
    archive.unlink()


def _pod_network() -> dict[str, object]:
    addresses = {
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{"subnet": NODE_PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    pair = {"type": "ptp", "ipMasq": False, "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [pair, ports]}
