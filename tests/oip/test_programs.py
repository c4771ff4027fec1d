"""Programs with clients of other languages."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.oip.asking import TENSOR, TEXTS

PROGRAMS = Path(__file__).parent / "programs"
V1 = ("/v1/models/emotion:predict", {"instances": TEXTS})
V2 = ("/v2/models/emotion/infer", {"inputs": [TENSOR]})
WAYS = {"live", "whole", "chunked", "continued"}


def output(*command):
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def content(body):
    """Return labels and probabilities of either protocol's answer."""
    answer = json.loads(body)
    if "predictions" in answer:
        predictions = answer["predictions"]
        rows = [list(each["probabilities"].values()) for each in predictions]
        return [each["label"] for each in predictions], rows
    label, probabilities = answer["outputs"]
    return label["data"], np.reshape(probabilities["data"], probabilities["shape"]).tolist()


@pytest.mark.parametrize(("path", "body"), [V1, V2])
@pytest.mark.parametrize(
    ("program", "ways", "most"),
    [
        (["java", PROGRAMS / "Asking.java"], WAYS | {"http1"}, 1),
        # One of the agent, and two of fetch, which opens another while the first is coming back.
        (["node", PROGRAMS / "asking.mjs"], WAYS, 3),
    ],
    ids=["java", "node"],
)
def test_bodies_come_in_all_ways_over_few_connections(
    relay, expected, program, ways, most, path, body
):
    lines = output(*program, relay.url, path, json.dumps(body)).splitlines()
    answers = [line.split("\t") for line in lines]
    assert {how for how, _, _ in answers} == ways
    for how, status, answer in answers:
        assert status == "200", (how, answer)
        if how == "live":
            assert json.loads(answer) == {"live": True}
        else:
            assert content(answer) == (expected.labels, expected.probabilities)
    assert relay.connections <= most
