"""Asks over HTTP with generated bodies, and checks what an answer holds."""

import json

import numpy as np

from components.artifacts.task import load_task
from components.serve.tensors import read_texts
from tests.fuzz.answers import Answer, BrokenAnswerError, answers_in, converse
from tests.fuzz.bodies import Body

LABELS = load_task("emotion").names
_LENGTH = "inference-header-content-length"


async def post(url: str, path: str, content: bytes, headers: dict[str, str | bytes]) -> Answer:
    """Post a body on a connection of its own.

    Raises:
        BrokenAnswerError: If there is not one answer.
    """
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
    for name, value in ({"Content-Length": str(len(content))} | headers).items():
        raw = value if isinstance(value, bytes) else value.encode()
        head += name.encode() + b": " + raw + b"\r\n"
    answers = answers_in(await converse(url, [head + b"\r\n" + content]))
    if len(answers) != 1:
        raise BrokenAnswerError(f"{len(answers)} answers")
    return answers[0]


async def ask(url: str, body: Body) -> str:
    """Send a body; returns its status.

    Raises:
        AssertionError: If it is another than its due, or the answer does not hold what it must.
    """
    answer = await post(url, body.path, body.content, body.headers)
    assert answer.status == body.status, answer
    if answer.status != 200:
        assert set(answer.json()) == {"error"}
    elif "instances" in body.held:
        _require_v1(body, answer.json())
    else:
        _require_v2(body, answer)
    return str(answer.status)


def _require_v1(body, answer):
    predictions = answer[body.held["instances"]]
    assert len(predictions) == body.texts
    top_k, threshold = body.held["top_k"], body.held["threshold"]
    for each in predictions:
        assert each["label"] in LABELS
        shares = list(each["probabilities"].values())
        assert all(share >= (threshold or 0) for share in shares)
        if threshold is None:
            assert len(shares) == min(top_k or 99, len(LABELS))


def _require_v2(body, answer):
    size = int(answer.headers.get(_LENGTH, len(answer.body)))
    head, place = json.loads(answer.body[:size]), size
    assert body.held["id"] in {None, head["id"]}
    assert sorted(each["name"] for each in head["outputs"]) == sorted(body.held["outputs"])
    for each in head["outputs"]:
        values = each.get("data")
        if values is None:
            end = place + each["parameters"]["binary_data_size"]
            binary, place = answer.body[place:end], end
            is_text = each["datatype"] == "BYTES"
            values = read_texts(binary) if is_text else np.frombuffer(binary, "<f4").tolist()
        assert len(values) == np.prod(each["shape"])
        assert each["shape"][0] == body.texts
    assert place == len(answer.body)
