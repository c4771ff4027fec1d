"""Argo CD's own client takes the manifests from docker-registry.

Its controller does not run: kustomize renders here what it would apply, with the images and patches
of the example where Argo CD writes them.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.processes import free_port
from pipelines.manifests import push_manifests
from tests.cluster.programs.build import build, source
from tests.images.registry import running_registry
from tests.manifests.gitops import ARGO_CD, PLACEHOLDER, filled_in, values_of
from tests.manifests.rendering import MANIFESTS, overlay, with_values
from tests.repositories import commit

pytestmark = pytest.mark.cluster
_MODULE = "github.com/argoproj/argo-cd/v3"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The pushed manifests."""
    manifests = shutil.copytree(MANIFESTS, tmp_path / "project" / "manifests")
    commit(manifests.parent)
    registry = f"127.0.0.1:{free_port()}"
    with running_registry(registry, tmp_path / "store", tmp_path):
        push_manifests(manifests, registry, "latest")
        yield f"oci://{registry}/emotion-pipeline/manifests"


def allowed_types() -> str:
    """The types of layers that Argo CD's repository server extracts by default."""
    path = source("argo-cd", _MODULE) / "cmd/argocd-repo-server/commands/argocd_repo_server.go"
    (listed,) = re.findall(
        r'"ARGOCD_REPO_SERVER_OCI_LAYER_MEDIA_TYPES", .*?\{(.*?)\}', path.read_text()
    )
    return ",".join(re.findall(r'"(.*?)"', listed))


def extract(url: str, types: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = build(["argo-cd"])["argo-cd-extract"]
    return subprocess.run(
        [program, url, "latest", types],
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_argo_cd_finds_the_overlay_and_renders_it_with_the_values_of_a_user(url, tmp_path):
    done = extract(url, allowed_types(), tmp_path)
    assert done.returncode == 0, done.stderr
    application = filled_in(ARGO_CD)
    path = application["spec"]["source"]["path"]
    found = with_values(Path(done.stdout.strip()), path, values_of(application))
    assert not PLACEHOLDER.search(yaml.safe_dump(found))
    # All but the compile settings, which the example leaves out.
    assert len(found) == len(overlay("gke")) - 1


def test_argo_cd_refuses_layers_of_a_type_that_it_is_not_told(url, tmp_path):
    done = extract(url, "application/vnd.cncf.helm.chart.content.v1.tar+gzip", tmp_path)
    assert done.returncode == 1
    assert (
        "vnd.oci.image.layer.v1.tar+gzip is not in the list of allowed media types" in done.stderr
    )
