"""The examples for Flux and Argo CD against the kinds of their releases, on a real API server."""

import pytest
import yaml

from tests.cluster.kubectl import kubectl, wait_for_kinds
from tests.cluster.programs.build import source
from tests.manifests.gitops import ARGO_CD, FLUX
from tests.manifests.rendering import example

pytestmark = pytest.mark.cluster
_FLUX = "config/crd/bases"
KINDS = {
    FLUX[0]: ("flux", "github.com/fluxcd/source-controller", _FLUX),
    FLUX[1]: ("flux", "github.com/fluxcd/kustomize-controller", _FLUX),
    ARGO_CD: ("argo-cd", "github.com/argoproj/argo-cd/v3", "manifests/crds/application-crd.yaml"),
}
"""Where the kind of each example is: folder of its go.mod, module, and path in it."""


@pytest.mark.parametrize("name", KINDS)
def test_an_example_is_of_its_kind(server, name):
    module, package, path = KINDS[name]
    kubectl(server, "apply", "--server-side", f"--filename={source(module, package) / path}")
    wait_for_kinds(server)
    given = example(name)
    given["metadata"]["namespace"] = "default"
    create(server, given)
    given["spec"]["paths"] = "./overlays/gke"
    with pytest.raises(AssertionError, match=r'unknown field "spec\.paths"'):
        create(server, given)


def create(server, resource):
    """Have the server check a resource whose fields it must all know, without keeping it."""
    options = ("--dry-run=server", "--validate=strict", "--filename=-")
    kubectl(server, "create", *options, content=yaml.safe_dump(resource))
