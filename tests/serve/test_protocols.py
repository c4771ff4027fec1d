"""The V1 and V2 protocols, asked of a real predictor process over HTTP."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

from components import bundle, storage
from components.serve.classifier import Classifier
from components.task import load_task

V1 = "/v1/models/emotion:predict"
V2 = "/v2/models/emotion/infer"
TEXTS = ["i feel wonderful today", "The bill is still wrong, and I am furious!"]
LABELS = load_task("emotion").names


def tensor(texts):
    return {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts}


def test_v1_answers_names_and_probabilities_in_the_order_of_the_texts(client, model_folder):
    answer = client.post(V1, json={"instances": [TEXTS[0], {"text": TEXTS[1]}]})
    expected = Classifier(model_folder).classify(TEXTS)
    predictions = answer.raise_for_status().json()["predictions"]
    assert [each["label"] for each in predictions] == [each.label for each in expected]
    for prediction, wanted in zip(predictions, expected, strict=True):
        assert tuple(prediction["probabilities"]) == LABELS
        assert prediction["probabilities"] == pytest.approx(wanted.probabilities, abs=1e-5)


def test_v1_names_the_model_that_answered(client, model_folder):
    answer = client.post(V1, json={"instances": TEXTS}).json()
    assert answer["model_version"] == storage.sha256(model_folder / bundle.MANIFEST)


def test_v2_answers_the_same_as_v1(client):
    v1 = client.post(V1, json={"instances": TEXTS}).json()
    v2 = client.post(V2, json={"id": "7", "inputs": [tensor(TEXTS)]}).raise_for_status().json()
    label, probabilities = v2["outputs"]
    assert (v2["id"], v2["model_version"]) == ("7", v1["model_version"])
    assert label["data"] == [each["label"] for each in v1["predictions"]]
    assert probabilities["shape"] == [len(TEXTS), len(LABELS)]
    assert v2["parameters"]["labels"].split(",") == list(LABELS)
    rows = [list(each["probabilities"].values()) for each in v1["predictions"]]
    assert probabilities["data"] == pytest.approx(np.ravel(rows), abs=1e-5)


def test_v2_gives_only_the_outputs_that_are_asked_for(client):
    body = {"inputs": [tensor(TEXTS)], "outputs": [{"name": "label"}]}
    outputs = client.post(V2, json=body).raise_for_status().json()["outputs"]
    assert [each["name"] for each in outputs] == ["label"]


def test_v2_metadata_describes_the_tensors(client):
    metadata = client.get("/v2/models/emotion").json()
    assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert [(each["name"], each["shape"]) for each in metadata["outputs"]] == [
        ("label", [-1]),
        ("probabilities", [-1, len(LABELS)]),
    ]


@pytest.mark.parametrize("binary", [False, True])
def test_kserves_own_client_talks_to_it(predictor_url, model_folder, binary):
    values = InferInput("text", [len(TEXTS)], "BYTES")
    values.set_data_from_numpy(np.array(TEXTS, dtype=np.object_), binary_data=binary)
    request = InferRequest(model_name="emotion", infer_inputs=[values])

    async def ask():
        async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
            assert await client.is_server_ready(predictor_url)
            return await client.infer(predictor_url, request, model_name="emotion")

    outputs = {each.name: each.as_numpy() for each in asyncio.run(ask()).outputs}
    expected = Classifier(model_folder).probabilities(TEXTS)
    assert outputs["label"].tolist() == [LABELS[each] for each in expected.argmax(axis=1)]
    assert outputs["probabilities"] == pytest.approx(expected, abs=1e-5)


def test_probes_are_answered_while_a_large_request_runs(client):
    texts = ["a long sentence about an ordinary day " * 20] * 60
    with ThreadPoolExecutor() as pool:
        large = pool.submit(client.post, V1, json={"instances": texts})
        time.sleep(0.3)
        assert client.get("/v2/health/live").status_code == httpx.codes.OK
        assert not large.done()
    assert len(large.result().json()["predictions"]) == len(texts)
