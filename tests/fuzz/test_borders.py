"""Whatever clients send, the predictor answers as it must, and goes on.

`make test` sends some inputs of each generator, `make test-slow` more, `make fuzz` 20,000.
"""

import random
from functools import partial

import httpx
import pytest
from cloudevents.http import from_http

from tests.fuzz.asking import ask
from tests.fuzz.bodies import v1_body, v2_body
from tests.fuzz.calling import make_call
from tests.fuzz.campaign import campaign
from tests.fuzz.conversations import answer_anything, conversation, hold, mutated
from tests.fuzz.events import posted, tell
from tests.fuzz.messages import call

pytestmark = pytest.mark.fuzz
SEED = 20_261_124
# How inputs are generated, and how they are sent.
BORDERS = {
    "HTTP, changed bytes": (mutated, answer_anything),
    "HTTP, framing and heads": (conversation, hold),
    "V1 bodies": (v1_body, ask),
    "V2 bodies": (v2_body, ask),
    "gRPC calls": (call, make_call),
    "CloudEvents and ids": (posted, tell),
}


@pytest.mark.parametrize("number", [60, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("border", BORDERS)
def test_no_input_is_too_odd(target, border, number, request, record_property):
    number = request.config.getoption("--fuzz") or number
    generate, send = BORDERS[border]
    if generate is v2_body:
        (version,) = httpx.get(f"{target.url}/v2/models/emotion", trust_env=False).json()[
            "versions"
        ]
        generate = partial(v2_body, version=version)
    draw = random.Random(f"{SEED} {border}")  # noqa: S311
    address = target.grpc if generate is call else target.url
    outcomes = campaign(target, [generate(draw) for _ in range(number)], partial(send, address))
    record_property("fuzz", (border, dict(outcomes.most_common())))
    assert len(outcomes) > 1
    assert sum(outcomes[each] for each in ("200", "OK")) > number // 20


def test_what_it_reports_is_well_formed(target):
    campaign(target, [posted(random.Random(each)) for each in range(8)], partial(tell, target.url))  # noqa: S311
    assert target.events
    # Others still come.
    events = target.events.copy()
    assert all(from_http(headers, body)["id"].isprintable() for headers, body in events)
    lines = [each for each in target.lines() if each["message"] == "request"]
    assert all(each["id"].isprintable() and each["route"] for each in lines)
