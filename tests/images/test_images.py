"""The images: user, labels, and contents."""

import json

import pytest

from tests.images.conftest import STEPS, TOP
from tests.images.hardened import HARDENED

pytestmark = [pytest.mark.images, pytest.mark.usefixtures("images")]
LABEL = "org.opencontainers.image."
MEGABYTE = 10**6


@pytest.fixture(scope="module")
def boms(images, make):  # noqa: ARG001 (they must exist)
    """Python packages and versions of every image, as `make sbom` lists them."""
    make("sbom")
    return {step: python_packages(TOP / "build" / "sbom" / f"{step}.spdx.json") for step in STEPS}


def python_packages(bom):
    packages = json.loads(bom.read_text())["packages"]
    return {
        each["name"].lower().replace("_", "-"): each["versionInfo"]
        for each in packages
        # Packages vendored by setuptools are not part of the environment.
        if "/opt/venv/" in each.get("sourceInfo", "") and "/_vendor/" not in each["sourceInfo"]
    }


def pinned(file):
    lines = (TOP / file).read_text().splitlines()
    pairs = [line.partition(" ")[0].split("==") for line in lines if "==" in line]
    return {name.lower().replace("_", "-"): version for name, version in pairs}


def run_in(engine, step, *command):
    image = f"emotion-pipeline/{step}"
    return engine.containers.run(image, list(command), remove=True, **HARDENED).decode()


@pytest.mark.parametrize("step", STEPS)
def test_it_runs_as_a_numeric_user_other_than_root(images, engine, step):
    assert images[step].attrs["Config"]["User"] == "1000:1000"
    assert run_in(engine, step, "id", "-u").strip() == "1000"


@pytest.mark.parametrize("step", STEPS)
def test_it_has_no_entrypoint_before_the_command_of_kfp(images, step):
    assert not images[step].attrs["Config"]["Entrypoint"]


@pytest.mark.parametrize("step", STEPS)
def test_its_labels_name_revision_title_and_licence(images, revision, step):
    labels = images[step].labels
    assert labels[f"{LABEL}revision"].removesuffix("-dirty") == revision
    assert labels[f"{LABEL}title"] == f"emotion-pipeline/{step}"
    assert labels[f"{LABEL}licenses"] == "Apache-2.0"


@pytest.mark.parametrize("step", STEPS)
def test_it_contains_only_the_package_of_the_project(engine, step):
    script = "import components; print(*components.__path__)"
    folder = run_in(engine, step, "python", "-c", script).strip()
    assert folder.startswith("/opt/venv/")
    assert run_in(engine, step, "ls", "/opt").split() == ["venv"]


@pytest.mark.parametrize("step", STEPS)
def test_it_contains_no_compiler_secret_or_pip_settings(engine, step):
    names = ["gcc", "cc", "g++", "make", "pip.conf", ".netrc", ".pypirc", "certificates", ".git"]
    wanted = [part for name in names for part in ("-o", "-name", name)][1:]
    places = ["/etc", "/root", "/run", "/opt", "/usr/bin", "/usr/local/bin"]
    found = run_in(engine, step, "sh", "-c", 'find "$@" 2>/dev/null || true', "-", *places, *wanted)
    assert found == ""


@pytest.mark.parametrize("step", STEPS)
def test_its_user_cannot_write_to_the_environment(engine, step):
    found = run_in(engine, step, "find", "/opt/venv", "-writable", "-not", "-type", "l")
    assert found == ""


@pytest.mark.parametrize("step", STEPS)
def test_its_packages_have_the_versions_of_constraints_txt(boms, step):
    # A build of torch names its platform after a plus.
    versions = {name: version.partition("+")[0] for name, version in boms[step].items()}
    assert versions.pop("emotion-pipeline")
    known = pinned("constraints.txt") | pinned("embedded-models.txt")
    assert versions == {name: known.get(name) for name in versions}


def test_the_steps_that_load_embedded_models_hold_them(boms):
    models = set(pinned("embedded-models.txt"))
    assert [step for step in STEPS if models & set(boms[step])] == ["generate", "train"]


def test_only_train_contains_torch(boms):
    assert [step for step in STEPS if "torch" in boms[step]] == ["train"]


def test_every_image_of_a_step_contains_kfp(boms):
    assert [step for step in STEPS if "kfp" not in boms[step]] == ["serve"]


def test_deploy_contains_clients_of_kubernetes_and_object_storage(boms):
    assert {"kubernetes", "httpx", "google-cloud-storage", "s3fs"} <= set(boms["deploy"])


def test_the_predictor_is_small(engine, images, base):
    above_base = images["serve"].attrs["Size"] - engine.images.get(base).attrs["Size"]
    assert above_base < 450 * MEGABYTE
