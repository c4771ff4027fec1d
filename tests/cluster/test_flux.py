"""Flux's own controllers follow the manifests in docker-registry on a real API server.

Neither a registry with accounts is here, nor what the overlay is for: no pod runs.
"""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kubernetes.dynamic import DynamicClient

from components.processes import free_port
from pipelines.manifests import push_manifests
from tests.cluster.api_server import ApiServer, running_api_server
from tests.cluster.flux import NAMESPACE, running_flux
from tests.cluster.kubectl import PATIENTLY, kubectl
from tests.cluster.node import kserve
from tests.cluster.programs.build import API_SERVER, build, source
from tests.images.registry import running_registry
from tests.manifests.gitops import FLUX, WITHOUT_PROMETHEUS, filled_in
from tests.manifests.rendering import MANIFESTS, Resource, with_values
from tests.repositories import commit, git

pytestmark = pytest.mark.cluster


@dataclass(frozen=True)
class Site:
    """An API server with Flux, a registry, and a repository with the manifests."""

    server: ApiServer
    registry: str
    manifests: Path

    @property
    def url(self) -> str:
        return f"oci://{self.registry}/emotion-pipeline/manifests"

    def push(self) -> str:
        """Commit and push the manifests; the commit that has changed them last."""
        commit(self.manifests.parent)
        push_manifests(self.manifests, self.registry, "latest")
        return git(self.manifests, "log", "-1", "--format=%H", "--", ".")

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.manifests / name
        content = file.read_text()
        assert old in content
        file.write_text(content.replace(old, new))

    def examples(self) -> list[Resource]:
        """Flux's, with values of a user, for this registry and a cluster without Prometheus."""
        repository, kustomization = (filled_in(name) for name in FLUX)
        repository["spec"] |= {"url": self.url, "provider": "generic", "insecure": True}
        kustomization["spec"]["patches"].append(WITHOUT_PROMETHEUS)
        return [repository, kustomization]

    def rendered(self, folder: Path) -> list[Resource]:
        """What Flux should make of the manifests as they are."""
        spec = self.examples()[1]["spec"]
        return with_values(shutil.copytree(self.manifests, folder), spec["path"], spec)

    def reconcile(self) -> None:
        """Push, have Flux look at once as `flux reconcile` does, and wait until it has applied."""
        made = self.push()
        apply(self.server, *self.examples())
        asked = f"reconcile.fluxcd.io/requestedAt={time.time()}"
        self.kubectl("annotate", "--overwrite", "ocirepository/emotion-pipeline", asked)
        PATIENTLY(self._require_applied, made)

    def status(self) -> dict[str, Any]:
        """What Flux says of the overlay."""
        told = self.kubectl("get", "kustomization", "emotion-pipeline", "--output=json")
        return dict(json.loads(told).get("status", {}))

    def kubectl(self, *arguments: str) -> str:
        return kubectl(self.server, "--namespace", NAMESPACE, *arguments)

    def _require_applied(self, made: str) -> None:
        assert self.status().get("lastAppliedOriginRevision") == f"sha1:{made}", self.status()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    programs = build([*API_SERVER, "flux"])
    folder = tmp_path_factory.mktemp("gitops")
    manifests = shutil.copytree(MANIFESTS, folder / "project" / "manifests")
    registry = f"127.0.0.1:{free_port()}"
    with (
        running_registry(registry, folder / "store", folder),
        running_api_server(programs, folder) as server,
    ):
        apply(server, *kserve.kinds(source("kserve", "github.com/kserve/kserve")))
        with running_flux(programs, server, folder):
            yield Site(server, registry, manifests)


def apply(server: ApiServer, *resources: Resource) -> None:
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": resources})
    kubectl(server, "apply", "--server-side", "--filename=-", content=content)


def present(server: ApiServer, given: Resource) -> dict[str, Any]:
    """A resource as the server has it."""
    kinds = DynamicClient(server.api("admin")).resources
    kind = kinds.get(api_version=given["apiVersion"], kind=given["kind"])
    metadata = given["metadata"]
    found = kind.get(name=metadata["name"], namespace=metadata.get("namespace"))
    return dict(found.to_dict())


def has(found: Any, given: Any) -> bool:
    """Whether a resource has all that was given, beside what others have added."""
    if isinstance(given, dict):
        return all(has(found.get(name), value) for name, value in given.items())
    if isinstance(given, list):
        return len(found) == len(given) and all(map(has, found, given))
    return bool(found == given)


def test_flux_applies_the_overlay_with_the_values_of_a_user(site, tmp_path):
    site.reconcile()
    expected = site.rendered(tmp_path / "manifests")
    assert len(site.status()["inventory"]["entries"]) == len(expected)
    for each in expected:
        found = present(site.server, each)
        # kustomize gives one to every kind that it does not know.
        if "namespace" not in found["metadata"]:
            each["metadata"].pop("namespace", None)
        assert has(found, each), each


def test_flux_follows_the_next_push_and_removes_what_it_lacks(site):
    site.reconcile()
    api = client.PolicyV1Api(site.server.api("admin"))
    assert api.list_namespaced_pod_disruption_budget("emotion").items
    site.edit("base/kustomization.yaml", "  - disruption-budget.yaml\n", "")
    site.edit("base/quotas.yaml", 'pods: "60"', 'pods: "61"')
    site.reconcile()
    assert not api.list_namespaced_pod_disruption_budget("emotion").items
    quota = client.CoreV1Api(site.server.api("admin")).read_namespaced_resource_quota
    assert quota("emotion", "emotion").spec.hard["pods"] == "61"


def test_without_its_object_in_flux_the_overlay_stays(site):
    site.reconcile()
    site.kubectl("delete", "kustomization", "emotion-pipeline")
    core = client.CoreV1Api(site.server.api("admin"))
    assert core.read_namespace("emotion").status.phase == "Active"
    assert core.read_namespaced_config_map("kfp-launcher", "emotion").data
