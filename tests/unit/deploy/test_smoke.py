"""The smoke test, of a real predictor and of servers that answer wrongly."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from components.deploy.smoke import NotAnswering, Sentence, smoke
from components.deploy.try_out import TryOut

from components.artifacts.task import load_task
from components.deploy.cluster.status import Endpoint
from components.deploy.settings import DeploySettings
from components.deploy.targets.local import running_predictor
from components.errors import InputError

TASK = load_task("emotion")
EXAMPLES = [Sentence(text, label.name) for label in TASK.labels for text in label.examples]
SENTENCE = [Sentence("so happy", "joy")]


@pytest.fixture(scope="module")
def url(model_folder, tmp_path_factory):
    log = tmp_path_factory.mktemp("smoke") / "predictor.log"
    with running_predictor(model_folder, "emotion", log) as url:
        yield url


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


def test_a_real_predictor_passes(url):
    result = smoke(url, "emotion", TASK.names, EXAMPLES)
    assert result.sentences == len(EXAMPLES)
    assert 1 / len(TASK.names) < result.expected_share <= 1
    assert result.mean_latency_ms > 0


def test_a_sentence_that_is_refused_is_named(url):
    with pytest.raises(InputError, match=r"sentence ' '.*400.*must not be empty"):
        smoke(url, "emotion", TASK.names, [*SENTENCE, Sentence(" ", "joy")])


def test_labels_of_another_task_are_refused(url):
    with pytest.raises(InputError, match=r"'so happy'.*other labels"):
        smoke(url, "emotion", ["good", "bad"], SENTENCE)


def test_an_unknown_model_is_refused(url):
    with pytest.raises(InputError, match="404"):
        smoke(url, "other", TASK.names, SENTENCE)


def test_no_more_right_labels_than_chance_is_refused():
    answers = [v1(joy=0.8, anger=0.2), v2(joy=0.8, anger=0.2)] * 2
    half_right = [*SENTENCE, Sentence("so angry", "anger")]
    with answering(*answers) as url, pytest.raises(InputError, match=r"50% of 2 .* chance"):
        smoke(url, "any", ["joy", "anger"], half_right)


def test_a_stand_in_that_answers_well_passes():
    with answering(v1(joy=0.8, anger=0.2), v2(joy=0.8, anger=0.2)) as url:
        assert smoke(url, "any", ["joy", "anger"], SENTENCE).expected_share == 1


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        (v1(joy=0.8, anger=0.3), v2(joy=0.8, anger=0.3), "V1 answered no true probabilities"),
        (v1(joy=1.2, anger=-0.2), v2(joy=1.2, anger=-0.2), "V1 answered no true probabilities"),
        (v1(joy=0.8, anger=0.2), v2(joy=0.8, anger=0.1), "V2 answered no true probabilities"),
        (v1(joy=0.8, anger=0.2), v2(joy=0.3, anger=0.7), "disagree: joy .* and anger"),
        (v1(joy=0.8, anger=0.2), v2(joy=0.7, anger=0.3), "disagree: joy .* and joy"),
        (v1(joy=0.8), v2(joy=0.8), "other labels"),
        (v1(joy=0.8, anger=0.2), {"outputs": []}, "out of protocol"),
        ([], v2(joy=0.8, anger=0.2), "out of protocol"),
        ({"predictions": []}, v2(joy=0.8, anger=0.2), "out of protocol"),
    ],
)
def test_a_wrong_answer_is_refused_with_its_sentence(first, second, rule):
    with answering(first, second) as url, pytest.raises(InputError, match=f"'so happy'.*{rule}"):
        smoke(url, "any", ["joy", "anger"], SENTENCE)


def test_a_server_that_is_gone_is_refused():
    with answering() as url:
        pass
    with pytest.raises(InputError, match="did not answer"):
        smoke(url, "any", ["joy", "anger"], SENTENCE)


def versioned(version):
    """Right answers to `SENTENCE` by a model of this version, over V1 and V2."""
    shares = {name: float(name == "joy") for name in TASK.names}
    return [{**body, "model_version": version} for body in (v1(**shares), v2(**shares))]


def test_the_model_that_answers_is_the_one_that_is_meant():
    with answering(*versioned("new"), *versioned("old")) as url:
        assert smoke(url, "any", TASK.names, SENTENCE, version="new").expected_share == 1
        with pytest.raises(NotAnswering, match="answered by model old, not new"):
            smoke(url, "any", TASK.names, SENTENCE, version="new")


def test_a_gateway_is_told_the_host():
    with answering(*versioned("new"), wanted_host="emotion.example") as url:
        result = smoke(url, "any", TASK.names, SENTENCE, host="emotion.example")
    assert result.sentences == 1


def try_out(**settings):
    return TryOut(DeploySettings(**settings), TASK, SENTENCE, "new")


def test_a_gateway_that_does_not_know_the_way_yet_is_asked_again():
    with answering(503, 404, versioned("old")[0], *versioned("new")) as url:
        try_out()(Endpoint(url))


@pytest.mark.parametrize("last", [503, 404])
def test_a_way_that_does_not_open_is_refused(last):
    with answering(*[last] * 50) as url, pytest.raises(NotAnswering, match=f"answered {last}"):
        try_out(endpoint_seconds=0.1)(Endpoint(url))


def test_a_model_that_answers_wrongly_is_refused_at_once():
    with answering(500) as url, pytest.raises(InputError, match="answered 500"):
        try_out()(Endpoint(url))


def test_a_slow_model_is_refused():
    with answering(*versioned("new")) as url, pytest.raises(InputError, match=r"and 0\.1 are all"):
        try_out(max_latency_ms=0.1)(Endpoint(url))
