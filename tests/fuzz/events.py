"""CloudEvents in every form, and identifiers of any bytes that a header may hold.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

import json
from dataclasses import dataclass
from random import Random

from cloudevents.http import from_http

from tests.fuzz.asking import post

_BODY = json.dumps({"instances": ["a fine day"]}).encode()
_EVENT = {"specversion": "1.0", "id": "1", "type": "a.text", "source": "a", "data": {}}
_NAMES = [
    "id",
    "type",
    "source",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "x",
    "X-y",
    "_",
]
_TYPES = ["application/json", "text/plain", "é", '"', "application/json; charset=é", "a" * 300]
_STRUCTURED = [
    *("application/cloudevents+json", "application/cloudevents-batch+json; charset=utf-8"),
    *("APPLICATION/CloudEvents", "application/cloudevents+avro"),
]
# What RFC 9110, section 5.5, allows in a value.
_ALLOWED = [*range(0x21, 0x7F), *range(0x80, 0x100)]
_LIKELY = [
    b"",
    b"id-1",
    b"x" * 256,
    b"x" * 257,
    b"a b",
    b"%20%0d%0a",
    b'"',
    b"\\u0000",
    b"{}",
    b",",
]


@dataclass(frozen=True)
class Posted:
    """A request with odd headers, and its status."""

    headers: dict[str, bytes]
    body: bytes
    status: int

    @property
    def is_event(self):
        return any(name.lower() == "ce-specversion" for name in self.headers)


def posted(draw: Random) -> Posted:
    """A request that is an event, in the right form or another, or none at all."""
    headers = {"X-Request-Id": _value(draw)} if draw.random() < 0.5 else {}
    if draw.random() < 0.7:
        headers[draw.choice(["ce-specversion", "CE-SpecVersion"])] = draw.choice(
            [b"1.0", b"", b"\xe9"]
        )
    for name in draw.sample(_NAMES, draw.randrange(5)):
        headers[f"{draw.choice(['ce-', 'Ce-'])}{name}"] = _value(draw)
    if draw.random() < 0.1:
        event = json.dumps([_EVENT] * draw.randrange(3)).encode()
        return Posted(headers | {"Content-Type": draw.choice(_STRUCTURED).encode()}, event, 415)
    if draw.random() < 0.5:
        headers["Content-Type"] = draw.choice(_TYPES).encode("latin-1")
    is_right = draw.random() < 0.9
    return Posted(headers, _BODY if is_right else b"{}", 200 if is_right else 400)


def _value(draw: Random) -> bytes:
    if draw.random() < 0.4:
        return draw.choice(_LIKELY)
    value = bytes(draw.choices(_ALLOWED, k=draw.choice([1, 9, 300])))
    return value[:1] + draw.choice([b"", b" ", b"\t"]) + value[1:]


async def tell(url: str, asked: Posted) -> str:
    """Send a request; returns its status.

    Raises:
        AssertionError: If it is another than its due, or an event is not answered with an event.
    """
    answer = await post(url, "/v1/models/emotion:predict", asked.body, asked.headers)
    assert answer.status == asked.status, answer
    assert ("ce-specversion" in answer.headers) == asked.is_event
    if asked.is_event:
        event = from_http(answer.headers, answer.body)
        assert event.data == answer.json()
        assert event["id"]
        assert event["id"].isprintable()
    return str(answer.status)
