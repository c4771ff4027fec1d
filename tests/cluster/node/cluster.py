"""A whole Kubernetes cluster on this machine, in namespaces without a way out.

Kubernetes with its own programs, containerd, a firewall that enforces network policies, names,
object storage as Kubeflow has it, and KServe in Standard mode. It needs root, and the packages
that `requirements` looks for.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.api_server import ApiServer
from tests.cluster.kubectl import PATIENTLY, kubectl, wait_for_kinds
from tests.cluster.node import kserve, network
from tests.cluster.node.containers import PAUSE, load_program, start_containerd, start_registry
from tests.cluster.node.control_plane import start_api_server, start_controllers
from tests.cluster.node.images import STORAGE
from tests.cluster.node.machine import Machine
from tests.cluster.node.object_storage import SERVICE, make_bucket
from tests.cluster.node.worker import NAME, start_firewall, start_worker
from tests.cluster.programs.build import CACHE, source

_CLUSTERS = CACHE / "clusters"
_MANIFESTS = Path(__file__).parent / "manifests"
_READY_SECONDS = 180
_KSERVE = "cluster.test/kserve-manager:1"


class Cluster:
    """A cluster that runs.

    Args:
        machine: Where it runs.
        server: Its API server.
    """

    def __init__(self, machine: Machine, server: ApiServer) -> None:
        self.machine, self.server = machine, server

    def kubectl(self, *arguments: str | Path, content: str = "") -> str:
        """Run kubectl as an administrator; returns what it printed.

        Raises:
            AssertionError: If it fails, with what it said.
        """
        return kubectl(self.server, *arguments, content=content)

    @property
    def storage_address(self) -> str:
        """Host and port of the object storage, by number, for clients outside the pods."""
        address = self.kubectl(
            "get",
            "service",
            "seaweedfs",
            "--namespace=kubeflow",
            "-o",
            "jsonpath={.spec.clusterIP}",
        )
        return f"{address}:{SERVICE.rpartition(':')[2]}"

    def wait_for_pods(self, namespace: str) -> None:
        """Wait until every deployment of a namespace is available."""
        wait = ["wait", "--for=condition=Available", "deployments", "--all"]
        try:
            self.kubectl(*wait, f"--namespace={namespace}", f"--timeout={_READY_SECONDS}s")
        except AssertionError as error:
            told = self.kubectl("describe", "pods", f"--namespace={namespace}")
            raise AssertionError(f"{error}\n{told}") from None

    def hand_over_certificates(self, namespace: str, secrets: Iterable[str]) -> None:
        """Have kubelet look at once at secrets that controllers fill, not in a minute."""
        where = f"--namespace={namespace}"
        for each in secrets:
            filled = "--for=jsonpath={.data.tls\\.crt}"
            self.kubectl("wait", filled, f"secret/{each}", where, "--timeout=60s")
        self.kubectl("annotate", "pods", "--all", "cluster.test/certificates=made", where)

    def wait_for_webhooks(self, probes: Sequence[Mapping[str, Any]]) -> None:
        """Wait until the webhooks let pass what they must.

        A pod that is ready may not be behind its Service's address yet, where the webhooks are.

        Args:
            probes: Resources that are offered, but not made.
        """
        content = json.dumps({"apiVersion": "v1", "kind": "List", "items": probes})
        command = ["apply", "--server-side", "--dry-run=server", "--filename=-"]
        PATIENTLY(self.kubectl, *command, content=content)


@contextmanager
def running_cluster(programs: Mapping[str, Path], name: str) -> Iterator[Cluster]:
    """A cluster for the length of a block, in whose network the block runs.

    Args:
        programs: Paths by name, as `build` returns them.
        name: Of its folder; two clusters of different names can run at once.
    """
    released = source("kserve", "github.com/kserve/kserve")
    machine = Machine(_CLUSTERS / name)
    try:
        network.set_up(machine)
        with machine.entered():
            cluster = _start(machine, programs)
            _install_kserve(cluster, released)
            yield cluster
    finally:
        machine.stop()


def _start(machine: Machine, programs: Mapping[str, Path]) -> Cluster:
    start_containerd(machine)
    STORAGE.mkdir(parents=True, exist_ok=True)
    start_registry(machine, STORAGE)
    server = start_api_server(machine, programs)
    cluster = Cluster(machine, server)
    start_controllers(machine, programs, server)
    PATIENTLY(machine.run, "ctr", "version")
    names = {PAUSE: "pause", "cluster.test/coredns:1": "coredns", "cluster.test/weed:1": "weed"}
    for image, program in {**names, _KSERVE: "kserve-manager"}.items():
        load_program(machine, image, programs[program])
    start_worker(machine, programs, server)
    cluster.kubectl("wait", "--for=create", f"node/{NAME}", f"--timeout={_READY_SECONDS}s")
    start_firewall(machine, programs, server)
    for path in sorted(_MANIFESTS.iterdir()):
        cluster.kubectl("apply", "--server-side", "--filename", path)
    for namespace in ("kube-system", "kubeflow"):
        cluster.wait_for_pods(namespace)
    make_bucket(cluster.storage_address)
    return cluster


def _install_kserve(cluster: Cluster, released: Path) -> None:
    resources = kserve.manifests(released, cluster.server.authority, _KSERVE)

    def apply(*kinds: str) -> None:
        items = [each for each in resources if each["kind"] in kinds]
        content = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        cluster.kubectl("apply", "--server-side", "--filename=-", content=content)

    apply("Namespace")
    apply("CustomResourceDefinition")
    wait_for_kinds(cluster.server)
    apply(*{each["kind"] for each in resources} - {"Namespace", "CustomResourceDefinition"})
    cluster.wait_for_pods("kserve")
    cluster.wait_for_webhooks([kserve.PROBE])
