"""A request that breaks a rule gets HTTP 400 or 404 and an error that names the rule."""

import struct

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.serve import open_inference_pb2 as pb
from components.serve import open_inference_pb2_grpc as service
from components.serve.settings import ServeSettings
from tests.serve.asking import V1

V2 = "/v2/models/emotion/infer"
LENGTH = "Inference-Header-Content-Length"
LONG = "x" * (ServeSettings.max_characters + 1)
MANY = ["a"] * (ServeSettings.max_texts + 1)


def tensor(data, **changes):
    return {"name": "text", "shape": [len(data)], "datatype": "BYTES", "data": data} | changes


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({}, "instances: Field required"),
        ([1], "body: Input should be an object"),
        ({"texts": ["a"]}, "instances: Field required"),
        ({"instances": "a"}, "instances: Input should be a valid array"),
        ({"instances": []}, "instances: List should have at least 1 item"),
        ({"instances": MANY}, "1 to 256 texts, not 257 (max_texts)"),
        ({"instances": ["a", 3]}, "instances.1.text: Input should be a valid string"),
        ({"instances": [{"txt": "a"}]}, "instances.0.object.text: Field required"),
        ({"instances": [["a"]]}, "instances.0.text: Input should be a valid string"),
        ({"instances": ["a", " \n"]}, "instances.1.text: must not be empty"),
        ({"instances": ["\x1f"]}, "instances.0.text: must not be empty"),
        ({"instances": [LONG]}, "text 0 has 10001 characters; at most 10000"),
        ({"instances": ["a"], "top_k": 0}, "top_k: Input should be greater than or equal to 1"),
        ({"instances": ["a"], "top_k": "2"}, "top_k: Input should be a valid integer"),
        ({"instances": ["a"], "threshold": 2}, "threshold: Input should be less than or equal"),
        ({"instances": ["a"], "topk": 2}, "topk: Extra inputs are not permitted"),
    ],
)
def test_v1(client, body, rule):
    answer = client.post(V1, json=body)
    assert answer.status_code == 400
    assert rule in answer.json()["error"]


def test_explain_takes_few_texts(client):
    answer = client.post("/v1/models/emotion:explain", json={"instances": ["a"] * 5})
    assert answer.status_code == 400
    assert "1 to 4 texts, not 5 (max_explained_texts)" in answer.json()["error"]


@pytest.mark.parametrize(
    ("inputs", "rule"),
    [
        ([], "inputs: List should have at least 1 item"),
        ([tensor(["a"], name="texts")], "inputs.0.name: Input should be 'text'"),
        ([tensor(["a"]), tensor(["b"])], "inputs: List should have at most 1 item"),
        ([tensor([1.0], datatype="FP32")], "inputs.0.datatype: Input should be 'BYTES'"),
        ([tensor(["a"], shape=[2])], "with 1 texts must have shape [1], not [2]"),
        ([tensor(["a", "b"], shape=[2, 1])], "with 2 texts must have shape [2], not [2, 1]"),
        ([tensor(["a"], shape=[])], "must have shape [1], not []"),
        ([tensor(["a"], shape=[-1])], "inputs.0.shape.0: Input should be greater"),
        ([tensor(["a"], shape=[2**80])], "must have shape [1], not [12"),
        ([tensor([], shape=[1])], "with 0 texts must have shape [0], not [1]"),
        ([tensor(MANY)], "1 to 256 texts, not 257"),
        ([tensor(["a", None])], "inputs.0.data.1: Input should be a valid string"),
        ([tensor([["a"], ["b", "c"]])], "inputs.0.data.0: Input should be a valid string"),
        ([tensor([""])], "inputs.0.data.0: must not be empty"),
        ([tensor([LONG])], "at most 10000"),
        ([{"name": "text"}], "inputs.0.datatype: Field required"),
        ([{**tensor(["a"]), "data": None}], "neither data nor binary_data_size"),
        ([tensor(["a"], parameters={"binary_data_size": 5})], "both data and binary_data_size"),
        ([tensor(["a"], parameters={"binary_data_size": "5"})], "should be a valid integer"),
        ([tensor(["a"], parameters={"x": []})], "inputs.0.parameters.x: must be a string, a num"),
    ],
)
def test_v2(client, inputs, rule):
    answer = client.post(V2, json={"inputs": inputs})
    assert answer.status_code == 400
    assert rule in answer.json()["error"]


@pytest.mark.parametrize("wanted", ["false", 0, []])
def test_v2_whether_an_output_is_binary_is_said_in_true_or_false(client, wanted):
    outputs = [{"name": "label", "parameters": {"binary_data": wanted}}]
    answer = client.post(V2, json={"inputs": [tensor(["a"])], "outputs": outputs})
    assert answer.status_code == 400
    assert "outputs.0.parameters.binary_data: " in answer.json()["error"]


@pytest.mark.parametrize(
    ("size", "binary", "header", "rule"),
    [
        (9, b"\x01\x00\x00\x00a", None, "has binary_data_size 9, but 5 bytes follow"),
        (2**62, b"\x01\x00\x00\x00a", None, "but 5 bytes follow"),
        (-1, b"", None, "has binary_data_size -1, but 0 bytes follow"),
        (5, b"\x09\x00\x00\x00a", None, "ends within an element"),
        (3, b"\x01\x00\x00", None, "ends within the length"),
        (5, b"\x01\x00\x00\x00\xff", None, "text 0 is not UTF-8"),
        (5, b"\x01\x00\x00\x00 ", None, "text 0 is empty"),
        (5, b"\x01\x00\x00\x00a", "9999999", "within the body"),
        (5, b"\x01\x00\x00\x00a", "9" * 5000, "within the body"),
        (5, b"\x01\x00\x00\x00a", "-1", "within the body"),
        (5, b"\x01\x00\x00\x00a", "\u00b2", "within the body"),
        (5, b"\x01\x00\x00\x00a", "0", "Invalid JSON"),
    ],
)
def test_v2_binary(client, size, binary, header, rule):
    text = '{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "parameters": '
    text += '{"binary_data_size": %d}}]}' % size  # noqa: UP031
    header = str(len(text)) if header is None else header
    headers = {LENGTH: header.encode("latin-1")}
    answer = client.post(V2, content=text.encode() + binary, headers=headers)
    assert answer.status_code == 400
    assert rule in answer.json()["error"]


@given(st.binary(max_size=64), st.integers(-10, 100), st.integers(-10, 400))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_v2_binary_whatever_the_bytes_and_sizes(client, binary, size, header):
    text = '{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "parameters": '
    text += '{"binary_data_size": %d}}]}' % size  # noqa: UP031
    content = text.encode() + binary
    assert client.post(V2, content=content, headers={LENGTH: str(header)}).status_code in {200, 400}
    right = struct.pack("<I", len(binary)) + binary
    headers = {LENGTH: str(len(text))}
    assert client.post(V2, content=text.encode() + right, headers=headers).status_code in {200, 400}


@pytest.mark.parametrize("path", [V1, V2])
@pytest.mark.parametrize("content", ["", "{", "not JSON", '{"instances": ["a"', "[" * 100_000])
def test_not_json(client, path, content):
    answer = client.post(path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "Invalid JSON" in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (V1, b'{"instances": ["\\ud800"]}'),
        (V1, b'{"instances": ["\xff"]}'),
        (V1, b'{"instances": ["a"], "threshold": NaN}'),
        (V2, b'{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["\\ud800"]}]}'),
    ],
)
def test_what_json_can_not_say(client, path, content):
    assert client.post(path, content=content).status_code == 400


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "a\x00b",
        "שלום אני שמח",
        "\u202eevil\u202c",
        "e" + "\u0301" * 5000,
        "x" * 10_000,
        "😀" * 2000,
        "\ufffe\uffff",
        "ﷺ" * 100,
    ],
)
def test_strange_texts_are_classified(client, text):
    (one,) = client.post(V1, json={"instances": [text]}).raise_for_status().json()["predictions"]
    assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"outputs": [{"name": "mood"}]}, "outputs.0.name: Input should be 'label' or"),
        ({"outputs": [{"name": "label", "parameters": {"x": {}}}]}, "outputs.0.parameters.x: must"),
        ({"parameters": {"x": {}}}, "parameters.x: must be a string, a number or a Boolean"),
        ({"parameters": {"top_k": 0}}, "parameters.top_k: Input should be greater"),
    ],
)
def test_v2_refuses_unknown_outputs_and_parameters_that_are_no_scalars(client, more, rule):
    answer = client.post(V2, json={"inputs": [tensor(["a"])], **more})
    assert answer.status_code == 400
    assert rule in answer.json()["error"]


@pytest.mark.parametrize("path", ["/v1/models/other:predict", "/v2/models/other/infer"])
def test_an_unknown_model_is_not_found(client, path):
    answer = client.post(path, json={"instances": ["a"]})
    assert answer.status_code == 404
    assert "`emotion`" in answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/v2/repository/index",
        "/v2/repository/models/emotion/load",
        "/v2/repository/models/emotion/unload",
    ],
)
def test_models_can_not_be_loaded_or_unloaded(client, path):
    assert client.post(path).status_code == 404
    assert client.get("/v2/health/ready").status_code == 200


def infer(inputs=None, model="emotion", **changes):
    inputs = [pb.ModelInferRequest.InferInputTensor(**each) for each in inputs or []]
    return pb.ModelInferRequest(model_name=model, inputs=inputs, **changes)


GOOD = {"name": "text", "datatype": "BYTES", "shape": [1], "contents": {"bytes_contents": [b"a"]}}
BARE = {"name": "text", "datatype": "BYTES", "shape": [1]}


def outputs(*names):
    return [pb.ModelInferRequest.InferRequestedOutputTensor(name=each) for each in names]


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        (infer(), "must have one input"),
        (infer([GOOD, GOOD]), "must have one input"),
        (infer([{**GOOD, "datatype": "FP32"}]), "must have one input"),
        (infer([{**GOOD, "shape": [2]}]), "with 1 texts must have shape [1], not [2]"),
        (infer([{**GOOD, "shape": [1, 1]}]), "must have shape [1], not [1, 1]"),
        (infer([BARE]), "with 0 texts must have shape [0], not [1]"),
        (infer([GOOD], raw_input_contents=[b""]), "in contents or raw"),
        (infer([BARE], raw_input_contents=[b"\xff\xff\xff\xff"]), "ends within an element"),
        (infer([{**GOOD, "contents": {"bytes_contents": [b"\xff"]}}]), "text 0 is not UTF-8"),
        (infer([{**GOOD, "contents": {"bytes_contents": [b" "]}}]), "text 0 is empty"),
        (infer([GOOD], parameters={"top_k": pb.InferParameter(int64_param=0)}), "top_k: Input"),
        (infer([GOOD], parameters={"top_k": pb.InferParameter(string_param="2")}), "top_k: Input"),
        (infer([GOOD], outputs=outputs("mood")), "outputs.0.name: Input should be 'label' or"),
        (infer([GOOD], outputs=outputs("label", "mood")), "outputs.1.name: Input should be"),
        (infer([GOOD], outputs=outputs("")), "outputs.0.name: Input should be 'label' or"),
        (infer([GOOD], outputs=outputs(*["label"] * 3)), "outputs: List should have at most 2"),
        (infer([GOOD], outputs=outputs(*["label"] * 1000)), "outputs: List should have at most 2"),
        (infer([GOOD], id="x" * 257), "id: String should have at most 256 characters"),
        (infer([GOOD], id="x" * 100_000), "id: String should have at most 256 characters"),
    ],
)
def test_grpc(predictor, request_, rule):
    with (
        grpc.insecure_channel(predictor.grpc) as channel,
        pytest.raises(grpc.RpcError) as error,
    ):
        service.GRPCInferenceServiceStub(channel).ModelInfer(request_)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert rule in error.value.details()


def test_grpc_knows_no_other_model_and_loads_none(predictor):
    with grpc.insecure_channel(predictor.grpc) as channel:
        stub = service.GRPCInferenceServiceStub(channel)
        for call, request in (
            (stub.ModelInfer, infer([GOOD], model="other")),
            (stub.ModelReady, pb.ModelReadyRequest(name="other")),
            (stub.ModelMetadata, pb.ModelMetadataRequest(name="other")),
        ):
            with pytest.raises(grpc.RpcError) as error:
                call(request)
            assert error.value.code() == grpc.StatusCode.NOT_FOUND
        for name in ("RepositoryModelLoad", "RepositoryModelUnload"):
            with pytest.raises(grpc.RpcError) as error:
                channel.unary_unary(f"/inference.GRPCInferenceService/{name}")(b"")
            assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
        assert stub.ModelMetadata(pb.ModelMetadataRequest(name="emotion")).inputs[0].name == "text"
        assert stub.ServerMetadata(pb.ServerMetadataRequest()).name


@pytest.mark.parametrize(
    "method",
    [
        *("inference.GRPCInferenceService/ModelInfer", "inference.GRPCInferenceService/ServerLive"),
        *("grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch"),
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ],
)
def test_grpc_refuses_bytes_that_are_no_message(predictor, method):
    with grpc.insecure_channel(predictor.grpc) as channel:
        answers = channel.stream_stream(f"/{method}")(iter([b"\xff"]), timeout=20)
        with pytest.raises(grpc.RpcError, match="not one of this call") as error:
            list(answers)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_another_version_is_not_found(client, predictor):
    for path in ("", "/ready", "/infer"):
        ask = client.post if path == "/infer" else client.get
        answer = ask(f"/v2/models/emotion/versions/2{path}")
        assert answer.status_code == 404
        assert answer.json()["error"].startswith("there is no such version; this predictor serves")
    with grpc.insecure_channel(predictor.grpc) as channel:
        stub = service.GRPCInferenceServiceStub(channel)
        for call, request in (
            (stub.ModelInfer, infer([GOOD], model_version="2")),
            (stub.ModelReady, pb.ModelReadyRequest(name="emotion", version="2")),
            (stub.ModelMetadata, pb.ModelMetadataRequest(name="emotion", version="2")),
        ):
            with pytest.raises(grpc.RpcError, match="there is no such version") as error:
                call(request)
            assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_grpc_gives_the_best_labels_if_asked(predictor):
    with grpc.insecure_channel(predictor.grpc) as channel:
        stub = service.GRPCInferenceServiceStub(channel)
        parameters = {"top_k": pb.InferParameter(int64_param=2)}
        label, probabilities = stub.ModelInfer(infer([GOOD], parameters=parameters)).outputs
    assert list(label.shape) == list(probabilities.shape) == [1, 2]
    first, second = probabilities.contents.fp32_contents
    assert first > second


@pytest.mark.parametrize(
    "names", [["label"] * 2, ["probabilities"] * 2, ["label", "probabilities"]]
)
def test_grpc_gives_each_output_once(predictor, names):
    with grpc.insecure_channel(predictor.grpc) as channel:
        stub = service.GRPCInferenceServiceStub(channel)
        answer = stub.ModelInfer(infer([GOOD], outputs=outputs(*names)))
    assert [each.name for each in answer.outputs] == list(dict.fromkeys(names))


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"id": "x" * 257}, {"id": "x" * 257}),
        ({"outputs": [{"name": "label"}] * 3}, {"outputs": outputs(*["label"] * 3)}),
        ({"outputs": [{"name": "mood"}]}, {"outputs": outputs("mood")}),
        ({"parameters": {"top_k": 0}}, {"parameters": {"top_k": pb.InferParameter(int64_param=0)}}),
    ],
)
def test_grpc_and_http_refuse_in_the_same_words(client, predictor, fields, asked):
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a"]}
    answer = client.post("/v2/models/emotion/infer", json={"inputs": [tensor], **fields})
    with (
        grpc.insecure_channel(predictor.grpc) as channel,
        pytest.raises(grpc.RpcError) as error,
    ):
        service.GRPCInferenceServiceStub(channel).ModelInfer(infer([GOOD], **asked))
    assert answer.status_code == 400
    assert error.value.details() == answer.json()["error"]


@pytest.mark.parametrize("size", [0, 1, 256])
def test_grpc_gives_an_id_back_as_http_does(client, predictor, size):
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a"]}
    body = {"id": "x" * size, "inputs": [tensor]}
    assert client.post("/v2/models/emotion/infer", json=body).json()["id"] == "x" * size
    with grpc.insecure_channel(predictor.grpc) as channel:
        stub = service.GRPCInferenceServiceStub(channel)
        assert stub.ModelInfer(infer([GOOD], id="x" * size)).id == "x" * size


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/emotion:predict",
        "/v1/models/emotion:explain",
        "/v1/models/emotion%3Apredict",
        "/v2/models/emotion/infer",
    ],
)
def test_another_method_is_told_which_one_there_is(client, method, path):
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        assert answer.json() == {"error": "Method Not Allowed"}


def test_another_verb_of_a_model_is_none(client):
    assert client.get("/v1/models/emotion:train").status_code == 404
    assert client.get("/v1/models/emotion").json() == {"name": "emotion", "ready": True}
