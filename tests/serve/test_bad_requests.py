"""Malformed requests get HTTP 400 and an error that names the rule they break."""

import pytest
from kserve import InferInput, InferRequest
from kserve.errors import InvalidInput

from components.serve.requests import MAX_CHARACTERS, MAX_TEXTS, v2_texts

V1 = "/v1/models/emotion:predict"
V2 = "/v2/models/emotion/infer"
LONG = "x" * (MAX_CHARACTERS + 1)


def tensor(data, **changes):
    return {"name": "text", "shape": [len(data)], "datatype": "BYTES", "data": data} | changes


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({}, "instances"),
        ([1], "instances"),
        ({"texts": ["a"]}, "instances"),
        ({"instances": "a"}, "list"),
        ({"instances": []}, "1 to 256 texts, not 0"),
        ({"instances": ["a"] * (MAX_TEXTS + 1)}, "1 to 256 texts, not 257"),
        ({"instances": ["a", 3]}, "`instances[1]` must be a text"),
        ({"instances": [{"txt": "a"}]}, "`instances[0]` must be a text"),
        ({"instances": [["a"]]}, "`instances[0]` must be a text"),
        ({"instances": ["a", " \n"]}, "`instances[1]` must not be empty"),
        ({"instances": [LONG]}, "at most 10000 characters"),
    ],
)
def test_v1(client, body, rule):
    answer = client.post(V1, json=body)
    assert answer.status_code == 400
    assert rule in answer.json()["error"]


@pytest.mark.parametrize(
    ("inputs", "rule"),
    [
        ([], "one input, named `text`"),
        ([tensor(["a"], name="texts")], "one input, named `text`"),
        ([tensor(["a"]), tensor(["b"])], "one input, named `text`"),
        ([tensor([1.0], datatype="FP32")], "datatype BYTES, not FP32"),
        ([tensor(["a"], shape=[2])], "do not fit its shape"),
        ([tensor(["a", "b"], shape=[2, 1])], "shape [n], not [2, 1]"),
        ([tensor(["a"], shape=[-1])], "shape [n], not [-1]"),
        ([tensor([])], "1 to 256 texts, not 0"),
        ([tensor(["a"] * (MAX_TEXTS + 1))], "1 to 256 texts, not 257"),
        ([tensor(["a", None])], "`text[1]` must be a text"),
        ([tensor([["a"], ["b", "c"]])], "`text[0]` must be a text"),
        ([tensor([""])], "`text[0]` must not be empty"),
        ([tensor([LONG])], "at most 10000 characters"),
        ([{"name": "text"}], "inputs.0.shape: Field required"),
    ],
)
def test_v2(client, inputs, rule):
    answer = client.post(V2, json={"inputs": inputs})
    assert answer.status_code == 400
    assert rule in answer.json()["error"]


@pytest.mark.parametrize("path", [V1, V2])
@pytest.mark.parametrize("content", ["", "{", "not JSON", '{"instances": ["a"'])
def test_not_json(client, path, content):
    answer = client.post(path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (V1, '{"instances": ["\\ud800"]}'),
        (V2, '{"inputs": [{"name":"text","shape":[1],"datatype":"BYTES","data":["\\ud800"]}]}'),
    ],
)
def test_a_text_that_is_no_unicode(client, path, content):
    answer = client.post(path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400


def test_an_unknown_output_is_refused(client):
    body = {"inputs": [tensor(["a"])], "outputs": [{"name": "mood"}]}
    assert client.post(V2, json=body).status_code == 400


def test_an_unknown_model_is_not_found(client):
    assert client.post("/v1/models/other:predict", json={"instances": ["a"]}).status_code == 404


def test_bytes_as_grpc_delivers_them_are_decoded():
    texts = [b"caf\xc3\xa9", b"tea"]
    assert v2_texts(InferRequest("emotion", [InferInput("text", [2], "BYTES", texts)])) == [
        "café",
        "tea",
    ]


def test_bytes_that_are_not_utf8_are_refused():
    request = InferRequest("emotion", [InferInput("text", [1], "BYTES", [b"caf\xe9"])])
    with pytest.raises(InvalidInput, match=r"`text\[0\]` must be valid Unicode"):
        v2_texts(request)
