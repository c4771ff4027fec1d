"""The examples for Flux and Argo CD change all that a user has to change, and nothing else.

Flux's controllers and Argo CD's client are in tests/cluster/test_flux.py and test_argo_cd.py.
"""

import json
import shutil

import pytest

from tests.manifests.gitops import (
    ARGO_CD,
    FLUX,
    PLACEHOLDER,
    WITHOUT_PROMETHEUS,
    filled_in,
    values_of,
)
from tests.manifests.rendering import MANIFESTS, named, overlay, with_values


def values(tool):
    """The path and the values of an example, as a kustomization has them."""
    if tool == "flux":
        spec = filled_in(FLUX[1])["spec"]
        return spec["path"], {name: spec[name] for name in ("images", "patches")}
    application = filled_in(ARGO_CD)
    return application["spec"]["source"]["path"], values_of(application)


@pytest.fixture
def manifests(tmp_path):
    return shutil.copytree(MANIFESTS, tmp_path / "manifests")


def by_title(resources):
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in resources}


@pytest.mark.parametrize("tool", ["flux", "argo-cd"])
def test_an_example_replaces_every_placeholder_of_the_overlay(manifests, tool):
    assert PLACEHOLDER.search(json.dumps(overlay("gke")))
    found = with_values(manifests, *values(tool))
    assert not PLACEHOLDER.search(json.dumps(found))


@pytest.mark.parametrize("tool", ["flux", "argo-cd"])
def test_an_example_changes_nothing_else(manifests, tool):
    before, after = by_title(overlay("gke")), by_title(with_values(manifests, *values(tool)))
    changed = {title for title, each in before.items() if after.get(title) != each}
    assert changed == {
        "ConfigMap/emotion-compile-settings",
        "ConfigMap/kfp-launcher",
        "ServiceAccount/default-editor",
        "ServiceAccount/predictor",
        "ServiceAccount/runner",
        "ServingRuntime/emotion-predictor",
    }
    assert after.keys() == before.keys() - {"ConfigMap/emotion-compile-settings"}


def test_the_accounts_of_pods_follow_the_settings(manifests):
    found = tuple(with_values(manifests, *values("flux")))
    notes = named(found, "ServiceAccount", "runner")["metadata"]["annotations"]
    runner = named(found, "ConfigMap", "kfp-launcher")["data"]["runnerAccount"]
    assert (
        notes["iam.gke.io/gcp-service-account"]
        == runner
        == ("emotion-runner@team.iam.gserviceaccount.com")
    )


def test_both_examples_say_the_same():
    assert values("flux")[1] == values("argo-cd")[1]
    source, application = filled_in(FLUX[0])["spec"], filled_in(ARGO_CD)["spec"]["source"]
    assert source["url"] == application["repoURL"]
    assert source["ref"]["tag"] == application["targetRevision"]


def test_what_only_prometheus_operator_knows_can_be_left_out(manifests):
    path, given = values("flux")
    given["patches"].append(WITHOUT_PROMETHEUS)
    groups = {each["apiVersion"].partition("/")[0] for each in with_values(manifests, path, given)}
    assert "monitoring.coreos.com" not in groups
    assert "serving.kserve.io" in groups
