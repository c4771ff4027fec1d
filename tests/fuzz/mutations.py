"""Requests with some bytes, values or sizes other than they should be."""

import json
import re

from components.serve.tensors import write_texts
from tests.serve.asking import V1

FINE = {"instances": ["a wonderful day", {"text": "an awful one"}], "top_k": 2, "threshold": 0.1}
TENSOR = {"name": "text", "shape": [2], "datatype": "BYTES", "data": ["a fine day", "no"]}
STRANGE = [
    "NaN", "-1", "1e999", "null", "true", "[]", "{}", '""', '"\\ud800"', '"\\u0000"', '"\u202e"',
    "9" * 400, '"' + "e\u0301" * 50 + '"', "[" * 500,
    '{"text": null}', '" \\t\\n"', '"' + "x" * 9999 + '"',
]  # fmt: skip
SPLICES = [
    *(b"\x00", b"\xff", b"\r\n", b"\r\n\r\n", b": ", b"," * 9),
    *(b"\xf0\x9f\x98\x80", b"\xed\xa0\x80"),
]


def mutated_request(draw):
    """The bytes of a request, most of whose framing is still right."""
    change = draw.choices([other_values, other_bytes, other_size], [5, 4, 1])[0]
    return change(draw, draw.choice(_fine_requests()))


def spliced(draw, content):
    """Replace some bytes by others."""
    content = bytearray(content)
    for _ in range(draw.randint(1, 6)):
        place = draw.randrange(len(content) + 1)
        content[place : place + draw.randint(0, 4)] = draw.choice(
            [*SPLICES, draw.randbytes(draw.randint(1, 20))]
        )
    return bytes(content)


def other_values(draw, request):
    """Replace one of the JSON values of a request by a strange one."""
    head, _, body = request.partition(b"\r\n\r\n")
    values = list(re.finditer(rb'"[^"]*"|-?\d[\d.]*', body))
    if not values:
        return request
    value = draw.choice(values)
    strange = draw.choice(STRANGE).encode()
    return _with_right_length(head, body[: value.start()] + strange + body[value.end() :])


def other_bytes(draw, request):
    """Change bytes of a request's body, or of the whole request."""
    if draw.random() < 0.3:
        return spliced(draw, request)
    head, _, body = request.partition(b"\r\n\r\n")
    return _with_right_length(head, spliced(draw, body))


def other_size(draw, request):
    """Cut off or double a request, or give it a huge body."""
    head, _, body = request.partition(b"\r\n\r\n")
    kind = draw.randrange(4)
    if kind == 0:
        return request[: draw.randrange(len(request))]
    if kind == 1:
        return request + request
    if kind == 2:
        return _with_right_length(head, body * draw.randint(2, 200))
    return _with_right_length(
        head, b'{"instances": [' + b'"a",' * draw.randint(100, 60_000) + b"0]}"
    )


def _post(path, body, *headers):
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _fine_requests():
    v1 = json.dumps(FINE).encode()
    v2 = json.dumps({"id": "1", "inputs": [TENSOR], "outputs": [{"name": "label"}]}).encode()
    binary = write_texts(["a fine day", "no"])
    described = {**TENSOR, "parameters": {"binary_data_size": len(binary)}}
    del described["data"]
    head = json.dumps({"inputs": [described]}).encode()
    length = f"Inference-Header-Content-Length: {len(head)}"
    return [
        _post(V1, v1),
        _post("/v1/models/emotion:explain", v1),
        _post("/v2/models/emotion/infer", v2),
        _post("/v2/models/emotion/infer", head + binary, length),
        b"GET /v2/models/emotion HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n",
    ]


def _with_right_length(head, body):
    head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head)
    return head + b"\r\n\r\n" + body
