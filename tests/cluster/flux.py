"""Flux's own controllers for an API server on loopback."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from components.processes import free_port, running_server
from tests.cluster.api_server import ApiServer
from tests.cluster.kubectl import kubectl, wait_for_kinds
from tests.cluster.programs.build import source

NAMESPACE = "flux-system"
_CONTROLLERS = ("source-controller", "kustomize-controller")
_START_SECONDS = 120.0


@contextmanager
def running_flux(programs: Mapping[str, Path], server: ApiServer, folder: Path) -> Iterator[None]:
    """Run what follows artifacts and what applies them for the length of a block.

    Args:
        programs: Paths by name, as `build` returns them.
        server: The API server, which gets Flux's kinds.
        folder: For their logs, and for the artifacts that one hands to the other.
    """
    for name in _CONTROLLERS:
        kinds = source("flux", f"github.com/fluxcd/{name}") / "config" / "crd" / "bases"
        kubectl(server, "apply", "--server-side", f"--filename={kinds}")
    wait_for_kinds(server)
    kubectl(server, "create", "namespace", NAMESPACE)
    store = f"127.0.0.1:{free_port()}"
    artifacts = folder / "artifacts"
    artifacts.mkdir()
    options = [f"--storage-path={artifacts}", f"--storage-addr={store}"]
    options.append(f"--storage-adv-addr={store}")
    with (
        _running(programs["source-controller"], server, folder, options),
        _running(programs["kustomize-controller"], server, folder, []),
    ):
        yield


@contextmanager
def _running(program: Path, server: ApiServer, folder: Path, options: list[str]) -> Iterator[None]:
    health = f"127.0.0.1:{free_port()}"
    command = [
        "env",
        f"KUBECONFIG={server.kubeconfig('admin', NAMESPACE)}",
        f"RUNTIME_NAMESPACE={NAMESPACE}",
        program,
        f"--health-addr={health}",
        "--metrics-addr=0",
        *options,
    ]
    log = folder / f"{program.name}.log"
    with running_server(command, f"http://{health}/readyz", log, _START_SECONDS):
        yield
