"""The V1 and V2 protocols of a real predictor process, over HTTP and gRPC."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pandas as pd
import pytest

from components import storage
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.artifacts.task import load_task
from components.serve import open_inference_pb2 as pb
from components.serve import open_inference_pb2_grpc as service
from components.serve.tensors import read_texts, write_texts
from tests.serve.asking import V1

V2 = "/v2/models/emotion/infer"
TEXTS = ["i feel wonderful today", "The bill is still wrong, and I am furious!"]
LABELS = load_task("emotion").names


def tensor(texts, **changes):
    return {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts} | changes


@pytest.fixture(scope="session")
def expected(dataset_folder, model_folder):
    """The test split, and the predictions of evaluate's classifier."""
    texts = pd.read_parquet(dataset_folder / "test.parquet")["text"].tolist()
    return texts, Classifier(model_folder).probabilities(texts)


def over_v1(client, texts):
    predictions = client.post(V1, json={"instances": texts}).raise_for_status().json()
    return [list(each["probabilities"].values()) for each in predictions["predictions"]]


def over_v2(client, texts):
    answer = client.post(V2, json={"inputs": [tensor(texts)]}).raise_for_status().json()
    _, probabilities = answer["outputs"]
    return np.reshape(probabilities["data"], probabilities["shape"])


def over_grpc(predictor, batches):
    answers = []
    with grpc.insecure_channel(predictor.grpc) as channel:
        stub = service.GRPCInferenceServiceStub(channel)
        for texts in batches:
            request = pb.ModelInferRequest(model_name="emotion")
            request.inputs.add(name="text", datatype="BYTES", shape=[len(texts)])
            request.raw_input_contents.append(write_texts(texts))
            _, probabilities = stub.ModelInfer(request).raw_output_contents
            answers.append(np.frombuffer(probabilities, dtype="<f4").reshape(len(texts), -1))
    return np.concatenate(answers)


@pytest.mark.parametrize("ask", [over_v1, over_v2])
@pytest.mark.parametrize("size", [1, 53])
def test_http_answers_are_evaluates_predictions(client, expected, ask, size):
    texts, probabilities = expected
    batches = [texts[start : start + size] for start in range(0, len(texts), size)]
    with ThreadPoolExecutor(8) as pool:
        answers = np.concatenate(list(pool.map(lambda batch: ask(client, batch), batches)))
    np.testing.assert_array_equal(answers.astype(np.float32), probabilities)


@pytest.mark.parametrize("size", [1, 53])
def test_grpc_answers_are_evaluates_predictions(predictor, expected, size):
    texts, probabilities = expected
    batches = [texts[start : start + size] for start in range(0, len(texts), size)]
    np.testing.assert_array_equal(over_grpc(predictor, batches), probabilities)


def test_v1_accepts_texts_and_objects_and_answers_in_their_order(client, model_folder):
    answer = client.post(V1, json={"instances": [TEXTS[0], {"text": TEXTS[1]}]})
    predictions = answer.raise_for_status().json()["predictions"]
    expected = Classifier(model_folder).probabilities(TEXTS).argmax(axis=1)
    assert [each["label"] for each in predictions] == [LABELS[label] for label in expected]
    assert [tuple(each["probabilities"]) for each in predictions] == [LABELS] * 2


def test_an_answer_names_the_run_and_the_model(client, model_folder):
    answer = client.post(V1, json={"instances": TEXTS}).json()
    assert answer["model_version"] == f"run-7:{storage.sha256(model_folder / bundle.MANIFEST)}"


def test_v1_returns_only_the_best_labels_on_request(client):
    (whole,) = client.post(V1, json={"instances": TEXTS[:1]}).json()["predictions"]
    best = sorted(whole["probabilities"].items(), key=lambda each: -each[1])
    (two,) = client.post(V1, json={"instances": TEXTS[:1], "top_k": 2}).json()["predictions"]
    assert list(two["probabilities"].items()) == best[:2]
    bound = (best[0][1] + best[1][1]) / 2
    body = {"instances": TEXTS[:1], "threshold": bound}
    (likely,) = client.post(V1, json=body).json()["predictions"]
    assert likely == {"label": best[0][0], "probabilities": dict(best[:1])}


def test_explain_weighs_every_word_for_the_label(client):
    body = {"instances": ["I am so furious , furious at all of this"]}
    (one,) = client.post("/v1/models/emotion:explain", json=body).json()["explanations"]
    (same,) = client.post(V1, json=body).json()["predictions"]
    assert [each["word"] for each in one["words"]] == body["instances"][0].split()
    assert (one["label"], one["probabilities"]) == (same["label"], same["probabilities"])
    assert any(each["weight"] != 0 for each in one["words"])


def test_v2_answers_the_same_as_v1(client):
    v1 = client.post(V1, json={"instances": TEXTS}).json()
    v2 = client.post(V2, json={"id": "7", "inputs": [tensor(TEXTS)]}).raise_for_status().json()
    label, probabilities = v2["outputs"]
    assert (v2["id"], v2["model_version"]) == ("7", v1["model_version"])
    assert label["data"] == [each["label"] for each in v1["predictions"]]
    assert probabilities["shape"] == [len(TEXTS), len(LABELS)]
    assert v2["parameters"]["labels"].split(",") == list(LABELS)


def test_v2_returns_only_the_requested_outputs(client):
    body = {"inputs": [tensor(TEXTS)], "outputs": [{"name": "label"}]}
    outputs = client.post(V2, json=body).raise_for_status().json()["outputs"]
    assert [each["name"] for each in outputs] == ["label"]


def test_v2_returns_the_best_labels_on_request(client):
    body = {"inputs": [tensor(TEXTS)], "parameters": {"top_k": 2}}
    label, probabilities = client.post(V2, json=body).raise_for_status().json()["outputs"]
    assert label["shape"] == probabilities["shape"] == [2, 2]
    predictions = client.post(V1, json={"instances": TEXTS, "top_k": 2}).json()["predictions"]
    assert label["data"] == [name for each in predictions for name in each["probabilities"]]


def test_v2_reads_and_writes_binary_tensors(client):
    text = '{"inputs": [{"name": "text", "shape": [2], "datatype": "BYTES", '
    text += '"parameters": {"binary_data_size": %d}}], "parameters": {"binary_data_output": true}}'
    binary = write_texts(TEXTS)
    text %= len(binary)
    headers = {"Inference-Header-Content-Length": str(len(text))}
    answer = client.post(V2, content=text.encode() + binary, headers=headers).raise_for_status()
    plain = client.post(V2, json={"inputs": [tensor(TEXTS)]}).json()["outputs"]
    length = int(answer.headers["Inference-Header-Content-Length"])
    size = len(write_texts(plain[0]["data"]))
    assert read_texts(answer.content[length : length + size]) == plain[0]["data"]
    numbers = np.frombuffer(answer.content[length + size :], dtype="<f4")
    np.testing.assert_array_equal(numbers, np.float32(plain[1]["data"]))


def test_v2_metadata_describes_the_tensors(client):
    metadata = client.get("/v2/models/emotion").json()
    assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert [(each["name"], each["shape"]) for each in metadata["outputs"]] == [
        ("label", [-1]),
        ("probabilities", [-1, len(LABELS)]),
    ]


def test_kserves_own_clients_talk_to_it(predictor, model_folder):
    program = [sys.executable, Path(__file__).with_name("kserve_asking.py")]
    done = subprocess.run(
        [*program, predictor.url, predictor.grpc, *TEXTS],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) == 7
    expected = Classifier(model_folder).probabilities(TEXTS)
    for labels, probabilities in answers.values():
        assert labels == [LABELS[each] for each in expected.argmax(axis=1)]
        np.testing.assert_allclose(probabilities, expected, atol=1e-6)
