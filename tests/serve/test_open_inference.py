"""The Open Inference Protocol in whole: versions, ids, what is absent, parameters, reflection."""

import json

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from components.serve import open_inference_pb2 as pb
from components.serve import open_inference_pb2_grpc as service
from components.serve.tensors import write_texts

V2 = "/v2/models/emotion/infer"
TEXTS = ["i feel wonderful today", "The bill is still wrong, and I am furious!"]


def tensor(texts, **changes):
    return {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts} | changes


def test_v2_serves_the_version_that_it_advertises(client, predictor):
    metadata = client.get("/v2/models/emotion").json()
    (version,) = metadata["versions"]
    base = f"/v2/models/emotion/versions/{version}"
    for path in (base, base.replace(":", "%3A")):
        assert client.get(path).json() == metadata
        assert client.get(f"{path}/ready").json() == {"name": "emotion", "ready": True}
        answer = client.post(f"{path}/infer", json={"inputs": [tensor(TEXTS)]}).json()
        assert answer["model_version"] == version

    request = pb.ModelInferRequest(model_name="emotion", model_version=version)
    request.inputs.add(name="text", datatype="BYTES", shape=[1])
    request.raw_input_contents.append(write_texts(TEXTS[:1]))
    with grpc.insecure_channel(predictor.grpc) as channel:
        answer = service.GRPCInferenceServiceStub(channel).ModelInfer(request)
    assert answer.model_version == version


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


def test_json_may_begin_with_a_byte_order_mark(client):
    body = json.dumps({"inputs": [tensor(TEXTS)]}).encode("utf-8-sig")
    assert client.post(V2, content=body).is_success


def test_grpc_reflects_its_services(predictor):
    with grpc.insecure_channel(predictor.grpc) as channel:
        reflected = ProtoReflectionDescriptorDatabase(channel)
        names = set(reflected.get_services())
        found = DescriptorPool(reflected).FindServiceByName("inference.GRPCInferenceService")
    assert {"inference.GRPCInferenceService", "grpc.health.v1.Health"} <= names
    assert "ModelInfer" in found.methods_by_name
