"""The V1 and V2 protocols of a real predictor process, over HTTP and gRPC."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pandas as pd
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from kserve import (
    InferenceGRPCClient,
    InferenceRESTClient,
    InferInput,
    InferRequest,
    RESTConfig,
)
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as service

from components import storage
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.artifacts.task import load_task
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
    async def ask():
        client = InferenceGRPCClient(predictor.grpc)
        answers = []
        for texts in batches:
            values = InferInput("text", [len(texts)], "BYTES")
            values.set_data_from_numpy(np.array(texts, dtype=np.object_))
            request = InferRequest(model_name="emotion", infer_inputs=[values])
            answer = await client.infer(request)
            answers.append({each.name: each.as_numpy() for each in answer.outputs})
        await client.close()
        return np.concatenate([each["probabilities"] for each in answers])

    return asyncio.run(ask())


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


def test_v2_serves_the_version_that_it_advertises(client, predictor):
    metadata = client.get("/v2/models/emotion").json()
    (version,) = metadata["versions"]
    base = f"/v2/models/emotion/versions/{version}"
    for path in (base, base.replace(":", "%3A")):
        assert client.get(path).json() == metadata
        assert client.get(f"{path}/ready").json() == {"name": "emotion", "ready": True}
        answer = client.post(f"{path}/infer", json={"inputs": [tensor(TEXTS)]}).json()
        assert answer["model_version"] == version

    async def ask():
        grpc_client = InferenceGRPCClient(predictor.grpc)
        values = InferInput("text", [1], "BYTES")
        values.set_data_from_numpy(np.array(TEXTS[:1], dtype=np.object_))
        request = InferRequest("emotion", [values], model_version=version)
        answer = await grpc_client.infer(request)
        await grpc_client.close()
        return answer.model_version

    assert asyncio.run(ask()) == version


def test_the_openapi_document_names_the_version(client):
    (version,) = client.get("/v2/models/emotion").json()["versions"]
    paths = client.get("/openapi.json").json()["paths"]
    base = "/v2/models/{model_name}/versions/{model_version}"
    for path, method in ((base, "get"), (f"{base}/ready", "get"), (f"{base}/infer", "post")):
        parameters = {each["name"]: each for each in paths[path][method]["parameters"]}
        assert set(parameters) == {"model_name", "model_version"}
        assert parameters["model_version"]["in"] == "path"
        assert parameters["model_version"]["schema"]["enum"] == [version]


def test_v2_names_the_platform_of_its_list(client, predictor):
    assert client.get("/v2/models/emotion").json()["platform"] == "onnx_onnxv1"
    with grpc.insecure_channel(predictor.grpc) as channel:
        stub = service.GRPCInferenceServiceStub(channel)
        metadata = stub.ModelMetadata(pb.ModelMetadataRequest(name="emotion"))
        of_version = {"name": "emotion", "version": metadata.versions[0]}
        assert stub.ModelMetadata(pb.ModelMetadataRequest(**of_version)) == metadata
        assert stub.ModelReady(pb.ModelReadyRequest(**of_version)).ready
    assert metadata.platform == "onnx_onnxv1"


def test_v2_describes_the_server_with_and_without_a_slash(client):
    assert client.get("/v2/").json() == client.get("/v2").json()
    assert client.get("/v2/").json()["extensions"] == ["binary_tensor_data"]


@pytest.mark.parametrize("id_", ["", "7", "a b/c"])
def test_v2_returns_the_id_of_the_request(client, id_):
    answer = client.post(V2, json={"id": id_, "inputs": [tensor(TEXTS)]}).json()
    assert answer["id"] == id_


def test_v2_makes_an_id_if_there_is_none(client):
    for given in ({}, {"id": None}):
        assert client.post(V2, json={**given, "inputs": [tensor(TEXTS)]}).json()["id"]


@pytest.mark.parametrize(
    "absent",
    [
        {"outputs": []},
        {"outputs": None},
        {"parameters": None},
        {"parameters": {}},
        {"parameters": {"top_k": None, "binary_data_output": None}},
        {"inputs": [tensor(TEXTS, parameters=None)]},
        {"inputs": [tensor(TEXTS, parameters={"binary_data_size": None, "x": None})]},
        {"outputs": [{"name": "label", "parameters": None}, {"name": "probabilities"}]},
        {"outputs": [{"name": "label"}, {"name": "probabilities", "parameters": {"x": None}}]},
    ],
)
def test_v2_takes_null_and_empty_lists_as_absent(client, absent):
    whole = client.post(V2, json={"inputs": [tensor(TEXTS)]}).json()
    answer = client.post(V2, json={"inputs": [tensor(TEXTS)], **absent}).raise_for_status().json()
    assert answer["outputs"] == whole["outputs"]


def test_parameters_of_other_servers_are_ignored_over_http_and_grpc(client, predictor):
    # Triton's clients send these.
    values = {"priority": 1, "timeout": 1000, "sequence_id": "7", "sequence_start": True}
    body = {"inputs": [tensor(TEXTS)], "parameters": values}
    label, _ = client.post(V2, json=body).raise_for_status().json()["outputs"]
    kinds = {str: "string_param", bool: "bool_param", int: "int64_param"}
    parameters = {
        name: pb.InferParameter(**{kinds[type(value)]: value}) for name, value in values.items()
    }
    parameters["unset"] = pb.InferParameter()
    request = pb.ModelInferRequest(model_name="emotion", parameters=parameters)
    given = request.inputs.add(name="text", datatype="BYTES", shape=[len(TEXTS)])
    given.parameters["x"].string_param = "y"
    given.contents.bytes_contents.extend(text.encode() for text in TEXTS)
    with grpc.insecure_channel(predictor.grpc) as channel:
        answer = service.GRPCInferenceServiceStub(channel).ModelInfer(request)
    labels = [each.decode() for each in answer.outputs[0].contents.bytes_contents]
    assert labels == label["data"]


@pytest.mark.parametrize("binary", [False, True])
def test_kserves_own_rest_client_talks_to_it(predictor_url, model_folder, binary):
    values = InferInput("text", [len(TEXTS)], "BYTES")
    values.set_data_from_numpy(np.array(TEXTS, dtype=np.object_), binary_data=binary)
    request = InferRequest(model_name="emotion", infer_inputs=[values])

    async def ask():
        async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
            assert await client.is_server_live(predictor_url)
            assert await client.is_server_ready(predictor_url)
            assert await client.is_model_ready(predictor_url, "emotion")
            return await client.infer(predictor_url, request, model_name="emotion")

    outputs = {each.name: each.as_numpy() for each in asyncio.run(ask()).outputs}
    expected = Classifier(model_folder).probabilities(TEXTS)
    assert outputs["label"].tolist() == [LABELS[each] for each in expected.argmax(axis=1)]
    assert outputs["probabilities"] == pytest.approx(expected, abs=1e-6)


def test_kserves_own_v1_client_talks_to_it(predictor_url):
    async def ask():
        async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
            body = {"instances": TEXTS}
            return await client.infer(predictor_url, body, model_name="emotion")

    assert len(asyncio.run(ask())["predictions"]) == len(TEXTS)


def test_kserves_own_grpc_client_talks_to_it(predictor, model_folder):
    async def ask():
        client = InferenceGRPCClient(predictor.grpc)
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("emotion")
        await client.close()

    asyncio.run(ask())
    np.testing.assert_array_equal(
        over_grpc(predictor, [TEXTS]), Classifier(model_folder).probabilities(TEXTS)
    )


def test_grpc_reflects_its_services(predictor):
    with grpc.insecure_channel(predictor.grpc) as channel:
        reflected = ProtoReflectionDescriptorDatabase(channel)
        names = set(reflected.get_services())
        found = DescriptorPool(reflected).FindServiceByName("inference.GRPCInferenceService")
    assert {"inference.GRPCInferenceService", "grpc.health.v1.Health"} <= names
    assert "ModelInfer" in found.methods_by_name
