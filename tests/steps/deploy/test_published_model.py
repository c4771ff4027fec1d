"""A real trained model in object storage: what a pod downloads of it, and that it serves."""

import re
import shutil
import subprocess
import sys

import httpx
import numpy as np
import pytest
from click.testing import CliRunner

from components import storage
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.artifacts.publishing import fetch, publish_model, serving_uri
from components.deploy.local import running_predictor
from components.errors import InputError
from components.serve.__main__ import main as serve
from tests.keys import new_signer

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


@pytest.fixture(scope="module")
def signed(model_folder, tmp_path_factory):
    """A published and signed part, and the public key in PEM form."""
    folder = tmp_path_factory.mktemp("signed")
    signer = new_signer(folder)
    publish_model(model_folder, str(folder / "registry/run-1"), signer)
    return folder / "registry/run-1/serving", signer.trust().public_key


def test_the_predictor_serves_what_is_signed(signed, tmp_path):
    served, key = signed
    options = [f"--public-key={key}"]
    with running_predictor(served, "emotion", tmp_path / "log", options=options) as url:
        assert httpx.get(f"{url}/v2/health/ready", trust_env=False).json()["ready"]


def _flip(folder):
    content = bytearray((folder / bundle.ONNX["int8"]).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / bundle.ONNX["int8"]).write_bytes(content)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_flip, r"Hash mismatch for .*onnx/model\.int8\.onnx"),
        (lambda folder: (folder / bundle.SIGNATURE).unlink(), "is missing, but only signed models"),
        (lambda folder: (folder / "added.txt").write_text("x"), "Extra files found .*added.txt"),
        (lambda folder: new_signer(folder.parent).sign(folder), "Key mismatch"),
    ],
    ids=["a flipped byte", "a stripped signature", "an added file", "another key"],
)
def test_the_predictor_does_not_start_with_what_is_not_as_signed(signed, tmp_path, change, said):
    served, key = signed
    folder = shutil.copytree(served, tmp_path / "models")
    change(folder)
    command = [sys.executable, "-m", "components.serve", f"--public-key={key}"]
    command += ["--model-dir", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert re.fullmatch(rf"serve: .*/model\.sig: .*{said}.*\n", ended.stderr), ended.stderr


@pytest.mark.parametrize("option", ["--public-key", "--signer-identity"])
def test_the_predictor_does_not_take_an_empty_key_for_none(option, tmp_path):
    done = CliRunner().invoke(serve, ["--model-dir", str(tmp_path), option, " "])
    assert done.exit_code == 1
    assert f"{option}: is empty, so that models without a signature would be served" in done.output
