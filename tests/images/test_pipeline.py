"""The compiled pipeline, each step in its image, then the predictor in its own."""

import json
import os
from contextlib import contextmanager

import httpx
import pytest
import yaml
from docker.types import Mount
from kfp import components, local

from components import storage
from components.artifacts.model import bundle
from components.artifacts.registry import read_champion
from components.artifacts.task import load_task
from components.processes import free_port
from pipelines.compile.compiler import COMPILED
from pipelines.parameters import read_parameters
from tests.fakes.object_storage import object_storage
from tests.images.conftest import TOP
from tests.images.hardened import HARDENED

pytestmark = pytest.mark.images
SMOKE = TOP / "pipelines" / "params" / "smoke.yaml"


@pytest.fixture(scope="module")
def registry():
    with object_storage() as bucket:
        yield f"{bucket}/emotion"


@pytest.fixture(scope="module")
def run(images, registry, tmp_path_factory):  # noqa: ARG001 (they must exist)
    """A run in which every step passed; its folder of artifacts."""
    root = tmp_path_factory.mktemp("run")
    # The steps run as another user.
    root.chmod(0o777)
    environment = {"STORAGE_EMULATOR_HOST": os.environ["STORAGE_EMULATOR_HOST"]}
    runner = local.DockerRunner(environment=environment, **HARDENED)
    local.init(runner, pipeline_root=str(root))
    pipeline = components.load_component_from_file(str(COMPILED))
    pipeline(**read_parameters(SMOKE, ["deploy_target=render", f"deploy_registry={registry}"]))
    (folder,) = (each for each in root.iterdir() if each.name.startswith("emotion-"))
    return folder


def made(run, name):
    """An output of a step, anywhere in the graph."""
    (found,) = run.glob(f"**/{name}")
    return found


def rendered(run):
    """The predictor's container in the rendered InferenceService."""
    service = yaml.safe_load(
        (made(run, "deploy/deployment") / "inference_service.yaml").read_text()
    )
    (container,) = service["spec"]["predictor"]["containers"]
    return container


def test_every_step_has_its_output(run):
    merged = json.loads((made(run, "merge/merged") / "dataset.json").read_text())
    left_out = sum(rows for why, rows in merged["removed"].items() if why.startswith("synthetic_"))
    assert merged["rows"]["train"] == {"real": 240, "synthetic": 6 - left_out}
    bundle.verify(made(run, "train/model"))
    evaluation = json.loads(made(run, "evaluate/evaluation").read_text())
    assert evaluation["gate"]["passed"]


def test_the_model_is_the_champion_of_the_registry(run, registry):
    champion, _ = read_champion(registry)
    assert champion.manifest_sha256 == bundle.verify(made(run, "train/model")).sha256
    assert {"name": "STORAGE_URI", "value": champion.model_uri} in rendered(run)["env"]


@pytest.fixture(scope="module")
def predictor(engine, run, registry, tmp_path_factory):
    """The rendered container with the published model mounted, as KServe runs it."""
    champion, _ = read_champion(registry)
    model = storage.fetch(champion.model_uri, tmp_path_factory.mktemp("published"))
    container = rendered(run)
    port = free_port()
    here = ["--host=127.0.0.1", f"--http-port={port}"]
    with running(
        engine,
        "emotion-pipeline/serve",
        [*container["command"], *container["args"], *here],
        user=str(container["securityContext"]["runAsUser"]),
        mounts=[Mount("/mnt/models", str(model), type="bind", read_only=True)],
    ) as started:
        transport = httpx.HTTPTransport(retries=8)
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, transport=transport, timeout=10) as client:
            yield client, started


@contextmanager
def running(engine, image, command, **options):
    container = engine.containers.run(image, command, detach=True, **options, **HARDENED)
    try:
        yield container
    finally:
        container.remove(force=True)


def test_the_predictor_answers_with_labels_of_the_task(predictor):
    client, container = predictor
    answer = client.post("/v1/models/emotion:predict", json={"instances": ["What a day!"]})
    assert answer.status_code == 200, answer.text + container.logs().decode()
    (prediction,) = answer.json()["predictions"]
    assert prediction["label"] in load_task("emotion").names


def test_the_predictor_ends_cleanly_on_sigterm(predictor):
    _, container = predictor
    container.kill("SIGTERM")
    assert container.wait(timeout=60)["StatusCode"] == 0
