"""KServe's own controller and webhooks for an API server on loopback, which has no nodes.

What KServe makes of a service can be seen there, and not that it serves: no pod runs.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from components.processes import free_port, running_server
from tests.cluster.api_server import ApiServer
from tests.cluster.kubectl import kubectl, wait_for_kinds
from tests.cluster.node import kserve
from tests.cluster.programs.build import source

_BEFORE = ("Namespace", "ConfigMap", "CustomResourceDefinition")
_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_START_SECONDS = 120.0


@contextmanager
def running_manager(
    programs: Mapping[str, Path], server: ApiServer, folder: Path
) -> Iterator[None]:
    """Run it for the length of a block, with the kinds of KServe and of KEDA.

    Args:
        programs: Paths by name, as `build` returns them.
        server: The API server.
        folder: For its log and its certificate.
    """
    port, health = free_port(), free_port()
    certificates = folder / "k8s-webhook-server" / "serving-certs"
    certificates.mkdir(parents=True)
    server.authority.issue("kserve", names=("127.0.0.1",)).write(certificates, "tls")
    released = source("kserve", "github.com/kserve/kserve")
    resources = kserve.manifests(released, server.authority, image="none")
    _apply(server, [each for each in resources if each["kind"] in _BEFORE])
    _apply(server, [_scaled_object()])
    wait_for_kinds(server)
    command = [
        # Where the controller's library looks for the certificate of its webhooks.
        *("env", f"TMPDIR={folder}"),
        programs["kserve-manager"],
        f"--kubeconfig={server.kubeconfig('admin', 'kserve')}",
        f"--webhook-port={port}",
        "--metrics-addr=0",
        f"--health-probe-addr=127.0.0.1:{health}",
    ]
    ready = f"http://127.0.0.1:{health}/readyz"
    with running_server(command, ready, folder / "kserve.log", _START_SECONDS):
        hooks = [each for each in resources if each["kind"] in _WEBHOOKS]
        _apply(server, [_at(each, port) for each in hooks])
        yield


def _apply(server: ApiServer, resources: list[dict[str, Any]]) -> None:
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": resources})
    kubectl(server, "apply", "--server-side", "--filename=-", content=content)


def _scaled_object() -> dict[str, Any]:
    """KEDA's kind, of the version that this KServe is built with."""
    keda = source("kserve", "github.com/kedacore/keda/v2")
    return yaml.safe_load((keda / "config/crd/bases/keda.sh_scaledobjects.yaml").read_text())


def _at(hooks: dict[str, Any], port: int) -> dict[str, Any]:
    for each in hooks["webhooks"]:
        path = each["clientConfig"].pop("service")["path"]
        each["clientConfig"]["url"] = f"https://127.0.0.1:{port}{path}"
    return hooks
