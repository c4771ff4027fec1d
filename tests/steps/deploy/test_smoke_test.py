"""The smoke test, against a real predictor and against servers that answer wrongly."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from components.artifacts.task import load_task
from components.deploy.cluster.service import ServiceAddress
from components.deploy.smoke_test import (
    NotAnsweringError,
    Sentence,
    SmokeTest,
    UnreachableError,
    smoke_test_of,
)
from components.errors import ServingError

TASK = load_task("emotion")
SENTENCE = [Sentence("so happy", "joy")]


def run(url, labels, sentences, host="", **limits):
    return SmokeTest("emotion", labels, sentences, **limits).run(ServiceAddress(url, host))


@contextmanager
def answering(*bodies, wanted_host=""):
    """A server that gives these bodies as its answers, in their order; yields its URL.

    A number is a status without a body.
    """
    left = iter(bodies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            body = next(left)
            content = b"" if isinstance(body, int) else json.dumps(body).encode()
            if wanted_host and self.headers["host"] != wanted_host:
                body, content = 404, b""
            self.send_response(body if isinstance(body, int) else 200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def v1(**probabilities):
    label = max(probabilities, key=probabilities.get)
    return {"predictions": [{"label": label, "probabilities": probabilities}]}


def v2(**probabilities):
    return {
        "parameters": {"labels": ",".join(probabilities)},
        "outputs": [
            {"name": "label", "data": [max(probabilities, key=probabilities.get)]},
            {"name": "probabilities", "data": list(probabilities.values())},
        ],
    }


def test_a_real_predictor_passes(predictor_url):
    test = smoke_test_of("emotion", TASK)
    result = test.run(ServiceAddress(predictor_url))
    assert result.sentences == len(test.sentences)
    assert 1 / len(TASK.names) < result.expected_share <= 1
    assert result.mean_latency_ms > 0


def test_a_sentence_that_is_refused_is_named(predictor_url):
    with pytest.raises(ServingError, match=r"sentence ' '.*400.*must not be empty"):
        run(predictor_url, TASK.names, [*SENTENCE, Sentence(" ", "joy")])


def test_labels_of_another_task_are_refused(predictor_url):
    with pytest.raises(ServingError, match=r"'so happy'.*labels that are not the task's"):
        run(predictor_url, ["good", "bad"], SENTENCE)


def test_an_unknown_model_is_refused(predictor_url):
    with pytest.raises(ServingError, match="404"):
        SmokeTest("other", TASK.names, SENTENCE).run(ServiceAddress(predictor_url))


def test_no_more_right_labels_than_chance_is_refused():
    answers = [v1(joy=0.8, anger=0.2), v2(joy=0.8, anger=0.2)] * 2
    half_right = [*SENTENCE, Sentence("so angry", "anger")]
    with answering(*answers) as url, pytest.raises(ServingError, match=r"50% of 2 .* chance"):
        run(url, ["joy", "anger"], half_right)


def test_a_stand_in_that_answers_well_passes():
    with answering(v1(joy=0.8, anger=0.2), v2(joy=0.8, anger=0.2)) as url:
        assert run(url, ["joy", "anger"], SENTENCE).expected_share == 1


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        (v1(joy=0.8, anger=0.3), v2(joy=0.8, anger=0.3), "V1 answered invalid probabilities"),
        (v1(joy=1.2, anger=-0.2), v2(joy=1.2, anger=-0.2), "V1 answered invalid probabilities"),
        (v1(joy=0.8, anger=0.2), v2(joy=0.8, anger=0.1), "V2 answered invalid probabilities"),
        (v1(joy=0.8, anger=0.2), v2(joy=0.3, anger=0.7), "disagree: joy .* and anger"),
        (v1(joy=0.8, anger=0.2), v2(joy=0.7, anger=0.3), "disagree: joy .* and joy"),
        (v1(joy=0.8), v2(joy=0.8), "labels that are not the task's"),
        (v1(joy=0.8, anger=0.2), {"outputs": []}, "out of protocol"),
        ([], v2(joy=0.8, anger=0.2), "out of protocol"),
        ({"predictions": []}, v2(joy=0.8, anger=0.2), "out of protocol"),
    ],
)
def test_a_wrong_answer_is_refused_with_its_sentence(first, second, rule):
    with answering(first, second) as url, pytest.raises(ServingError, match=f"'so happy'.*{rule}"):
        run(url, ["joy", "anger"], SENTENCE)


def test_a_server_that_is_gone_is_refused():
    with answering() as url:
        pass
    with pytest.raises(UnreachableError, match="did not answer, so that the model was not tried"):
        run(url, ["joy", "anger"], SENTENCE)


def versioned(version):
    """Right answers to `SENTENCE` by a model of this version, over V1 and V2."""
    shares = {name: float(name == "joy") for name in TASK.names}
    return [{**body, "model_version": version} for body in (v1(**shares), v2(**shares))]


def test_the_intended_model_must_answer():
    with answering(*versioned("new"), *versioned("old")) as url:
        assert run(url, TASK.names, SENTENCE, version="new").expected_share == 1
        with pytest.raises(NotAnsweringError, match="answered by model old, not new"):
            run(url, TASK.names, SENTENCE, version="new")


def test_a_gateway_gets_the_host():
    with answering(*versioned("new"), wanted_host="emotion.example") as url:
        result = run(url, TASK.names, SENTENCE, host="emotion.example")
    assert result.sentences == 1


def test_a_gateway_that_does_not_know_the_route_yet_is_asked_again():
    with answering(503, 404, versioned("old")[0], *versioned("new")) as url:
        run(url, TASK.names, SENTENCE, version="new", wait_seconds=60)


def test_each_reason_to_ask_again_is_logged_when_it_comes_up(caplog):
    caplog.set_level("INFO")
    old = versioned("old")[0]
    with answering(503, 503, old, old, *versioned("new")) as url:
        run(url, TASK.names, SENTENCE, version="new", wait_seconds=60)
    again = [each for each in caplog.messages if "trying again" in each]
    assert [("answered 503" in each, "by model old" in each) for each in again] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.parametrize("last", [503, 404])
def test_a_route_that_does_not_open_is_refused(last):
    with answering(*[last] * 50) as url, pytest.raises(NotAnsweringError, match=f"answered {last}"):
        run(url, TASK.names, SENTENCE, wait_seconds=0.1)


def test_a_model_that_answers_wrongly_is_refused_at_once():
    with answering(500) as url, pytest.raises(ServingError, match="answered 500"):
        run(url, TASK.names, SENTENCE, wait_seconds=60)


def test_a_slow_model_is_refused():
    with answering(*versioned("new")) as url, pytest.raises(ServingError, match=r"0\.1 are all"):
        run(url, TASK.names, SENTENCE, version="new", max_latency_ms=0.1)
