"""The predictor's metrics, logs and payloads."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import grpc
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from components.deploy.local import running_predictor
from components.processes import free_port
from components.serve import open_inference_pb2 as pb
from components.serve import open_inference_pb2_grpc as service
from components.serve.tensors import write_texts
from tests.serve.asking import V1, ask
from tests.waiting import wait_for

SENTENCE = "my secret sentence about joy"


def samples(url):
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_count_requests_texts_labels_and_bounds(bounded):
    url = bounded()
    answer = ask(url, ["a wonderful day", "a dreadful day"]).json()
    ask(url, [])
    ask(url, ["a"] * 257)
    seen = samples(url)
    route = "/v1/models/{model_name}:predict"
    assert seen["classifier_requests_total", route, "200"] == 1
    assert seen["classifier_requests_total", route, "400"] == 2
    assert seen["classifier_refused_total", "max_texts"] == 1
    assert seen["classifier_queue_texts",] == 0
    assert seen["classifier_ready",] == 1
    assert seen["classifier_model_info", answer["model_version"]] == 1
    labels = [each["label"] for each in answer["predictions"]]
    assert sum(seen["classifier_predictions_total", label] for label in set(labels)) == 2
    assert seen["classifier_queue_seconds_count",] == 2
    for name in ("tokenise", "infer"):
        assert seen[f"classifier_{name}_seconds_count",] == 1
    assert seen["classifier_batch_texts_sum",] == 2
    assert seen["classifier_batch_tokens_sum",] == 16
    confidences = [max(each["probabilities"].values()) for each in answer["predictions"]]
    assert seen["classifier_confidence_sum",] == pytest.approx(sum(confidences))
    assert seen["classifier_request_seconds_count", route] == 3


def logged(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.parametrize("texts", [False, True])
def test_logs_hold_the_texts_only_if_asked(model_folder, tmp_path, texts):
    log = tmp_path / "log"
    options = ["--log-requests", *(["--log-texts"] if texts else [])]
    with running_predictor(model_folder, "emotion", log, options=options) as url:
        ask(url, [SENTENCE])
    lines = [each for each in logged(log) if each.get("route", "").endswith(":predict")]
    assert [each["status"] for each in lines] == [200]
    assert lines[0]["milliseconds"] > 0
    assert (SENTENCE in log.read_text()) is texts


def test_by_default_requests_leave_no_lines(model_folder, tmp_path):
    log = tmp_path / "log"
    with running_predictor(model_folder, "emotion", log) as url:
        ask(url, [SENTENCE])
        ask(url, [""])
    assert [each["level"] for each in logged(log)] == ["INFO"]


@contextmanager
def collector(status):
    """A server that accepts CloudEvents; yields its URL and the list of them."""
    events = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            events.append((httpx.Headers(dict(self.headers)), body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", free_port()), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", events
        server.shutdown()


def test_payloads_go_to_the_collector_as_cloud_events(bounded):
    with collector(200) as (sink, events):
        url = bounded("--payload-url", sink)
        answer = ask(url, [SENTENCE])
        wait_for(lambda: len(events) == 2)
    (request, asked), (response, answered) = events
    assert json.loads(asked) == {"instances": [SENTENCE]}
    assert json.loads(answered) == answer.json()
    assert request["ce-id"] == response["ce-id"]
    kinds = [each["ce-type"] for each in (request, response)]
    assert kinds == [f"org.kubeflow.serving.inference.{each}" for each in ("request", "response")]
    assert request["ce-inferenceservicename"] == "emotion"


@pytest.mark.parametrize("name", ["Content-Type", "Inference-Header-Content-Length"])
def test_a_header_that_no_event_can_carry_stops_no_later_event(bounded, name):
    with collector(200) as (sink, events):
        url = bounded("--payload-url", sink)
        content = json.dumps({"instances": [SENTENCE]}).encode()
        odd = {name: "application/json; x=é".encode("latin-1")}
        httpx.post(url + V1, content=content, headers=odd, trust_env=False)
        ask(url, [SENTENCE])
        wait_for(lambda: len(events) == 4)


def grpc_request(text):
    request = pb.ModelInferRequest(model_name="emotion", id="9")
    values = request.inputs.add(name="text", datatype="BYTES", shape=[1])
    values.contents.bytes_contents.append(text.encode())
    return request


def test_grpc_calls_leave_lines_and_events_as_http_does(model_folder, tmp_path):
    port, log = free_port(), tmp_path / "log"
    options = ["--grpc-port", str(port), "--log-requests", "--log-texts"]
    with collector(200) as (sink, events):
        options += ["--payload-url", sink]
        with (
            running_predictor(model_folder, "emotion", log, options=options),
            grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            stub = service.GRPCInferenceServiceStub(channel)
            request = grpc_request(SENTENCE)
            answer = stub.ModelInfer(request, metadata=[("x-request-id", "my-id-1")])
            with pytest.raises(grpc.RpcError):
                stub.ModelInfer(grpc_request(" "))
            wait_for(lambda: len(events) == 4)
    (asked, sent), (answered, received), _, (_, refusal) = events
    assert pb.ModelInferRequest.FromString(sent) == request
    assert pb.ModelInferResponse.FromString(received) == answer
    assert refusal == b"text 0 is empty"
    assert asked["Content-Type"] == answered["Content-Type"] == "application/protobuf"
    assert asked["ce-id"] == answered["ce-id"] == "my-id-1"
    good, bad = [each for each in logged(log) if each.get("route") == "grpc:ModelInfer"]
    assert (good["status"], good["id"]) == ("OK", "my-id-1")
    assert good["bytes"] == request.ByteSize()
    assert SENTENCE in good["body"]
    assert bad["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("headers", "id_"),
    [
        ({"X-Request-Id": "my-id-1"}, "my-id-1"),
        ({"ce-id": "my-id-2", "X-Request-Id": "my-id-1"}, "my-id-2"),
        ({"X-Request-Id": ""}, None),
        ({"X-Request-Id": "x" * 257}, None),
        ({"X-Request-Id": "\u00fc"}, None),
        ({}, None),
    ],
)
def test_the_clients_id_joins_lines_and_events(model_folder, tmp_path, headers, id_):
    log = tmp_path / "log"
    with collector(200) as (sink, events):
        options = ["--payload-url", sink, "--log-requests"]
        with running_predictor(model_folder, "emotion", log, options=options) as url:
            body = {"instances": [SENTENCE]}
            encoded = {name: value.encode("latin-1") for name, value in headers.items()}
            httpx.post(url + V1, json=body, headers=encoded, trust_env=False).raise_for_status()
            wait_for(lambda: len(events) == 2)
    lines = [each["id"] for each in logged(log) if each.get("route", "").endswith(":predict")]
    found = {*lines, *(event["ce-id"] for event, _ in events)}
    assert len(found) == 1
    if id_ is None:
        assert UUID(found.pop())
    else:
        assert found == {id_}


def test_a_binary_request_is_an_event_of_its_own_type(bounded):
    binary = write_texts([SENTENCE])
    text = '{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", '
    text += '"parameters": {"binary_data_size": %d}}], "parameters": {"binary_data_output": true}}'
    text %= len(binary)
    length = "Inference-Header-Content-Length"
    with collector(200) as (sink, events):
        url = bounded("--payload-url", sink) + "/v2/models/emotion/infer"
        content = text.encode() + binary
        headers = {length: str(len(text))}
        answer = httpx.post(url, content=content, headers=headers, trust_env=False)
        wait_for(lambda: len(events) == 2)
    (request, asked), (response, answered) = events
    assert (asked, answered) == (content, answer.content)
    assert request["Content-Type"] == response["Content-Type"] == "application/octet-stream"
    assert (request[length], response[length]) == (str(len(text)), answer.headers[length])


def test_a_collector_that_refuses_is_counted_and_no_answer_waits(bounded):
    with collector(500) as (sink, _):
        url = bounded("--payload-url", sink)
        assert ask(url, [SENTENCE]).is_success
        wait_for(lambda: samples(url).get(("classifier_refused_total", "payload_url"), 0) == 2)
