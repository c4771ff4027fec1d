"""Requests that are CloudEvents."""

import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent, from_http

from tests.serve.asking import V1

V2 = "/v2/models/emotion/infer"
TENSOR = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["i feel wonderful"]}
BODIES = [(V1, {"instances": ["i feel wonderful"]}), (V2, {"id": "7", "inputs": [TENSOR]})]
ATTRIBUTES = {"id": "my-id-1", "type": "a.text", "source": "a-broker"}


@pytest.mark.parametrize(("path", "body"), BODIES)
def test_an_event_is_answered_with_an_event(client, path, body):
    headers, content = to_binary(CloudEvent(ATTRIBUTES, body))
    answer = client.post(path, headers=headers, content=content).raise_for_status()
    event = from_http(answer.headers, answer.content)
    assert event.data == client.post(path, json=body).json()
    assert (event["id"], event["type"]) == ("my-id-1", "io.kserve.inference.response")
    assert event["source"] == "io.kserve.inference.emotion"
    assert event["datacontenttype"] == "application/json"


@pytest.mark.parametrize(("path", "body"), BODIES)
def test_what_is_no_event_is_answered_with_none(client, path, body):
    answer = client.post(path, json=body, headers={"ce-id": "my-id-1"}).raise_for_status()
    assert not [name for name in answer.headers if name.startswith("ce-")]


@pytest.mark.parametrize(("path", "body"), BODIES)
@pytest.mark.parametrize(
    "form", ["application/cloudevents+json", "Application/CloudEvents-Batch+json"]
)
def test_an_event_with_its_attributes_in_the_body_is_refused(client, path, body, form):
    _, content = to_structured(CloudEvent(ATTRIBUTES, body))
    headers = {"Content-Type": f"{form}; charset=utf-8"}
    answer = client.post(path, headers=headers, content=content)
    assert answer.status_code == 415
    assert answer.json()["error"].startswith("a CloudEvent must be in binary form")
