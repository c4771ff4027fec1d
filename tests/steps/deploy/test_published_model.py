"""A real trained model in object storage: what a pod downloads of it, and that it serves."""

import httpx
import numpy as np
import pytest

from components import storage
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.artifacts.publishing import fetch, publish_model, serving_uri
from components.deploy.local import running_predictor
from components.errors import InputError

TEXTS = ["I can not believe it!", "What a day", "They left me alone again."]


@pytest.fixture(scope="module")
def published(model_folder, s3_bucket):
    """The place of the model in the registry."""
    uri = f"{s3_bucket}/registry/run-1"
    publish_model(model_folder, uri)
    return uri


@pytest.fixture(scope="module")
def served(published, tmp_path_factory):
    """What KServe downloads: the folder that serves."""
    return fetch(serving_uri(published), tmp_path_factory.mktemp("mnt")).folder


def test_a_pod_downloads_a_small_part_of_the_model(published, model_folder):
    part = sum(storage.open_store(serving_uri(published)).sizes().values())
    whole = sum(each.stat().st_size for each in model_folder.rglob("*") if each.is_file())
    assert sum(storage.open_store(published).sizes().values()) == whole
    assert part < 0.3 * whole


def test_no_published_file_is_empty(published):
    # KServe's initializer would leave it out, and the predictor refuse the folder.
    assert min(storage.open_store(published).sizes().values()) > 0


def test_the_part_is_the_same_model(served, model_folder):
    part, whole = Classifier(served), Classifier(model_folder)
    assert part.version == whole.version
    assert np.array_equal(part.probabilities(TEXTS), whole.probabilities(TEXTS))


@pytest.mark.parametrize(
    ("precision", "missing"), [("fp32", bundle.ONNX["fp32"]), ("torch", "merged/config.json")]
)
def test_the_part_serves_in_int8_only(served, precision, missing):
    with pytest.raises(InputError, match=f"only what serves in int8, and lacks {missing}"):
        Classifier(served, precision=precision)


def test_the_predictor_serves_the_part(served, tmp_path):
    with running_predictor(served, "emotion", tmp_path / "log") as url:
        body = {"instances": TEXTS}
        answer = httpx.post(f"{url}/v1/models/emotion:predict", json=body, trust_env=False).json()
    assert answer["model_version"] == storage.sha256(served / bundle.MANIFEST)
    assert len(answer["predictions"]) == len(TEXTS)
