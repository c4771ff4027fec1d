"""Any bytes are answered with 2xx or 4xx, or cut off, and leave no trace.

`make test` sends some hundred requests, `make test-slow` thousands, `make fuzz` 20,000.
"""

import asyncio
import json
import random
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from components.serve.tensors import write_texts
from tests.serve.asking import V1, ask

SEED = 20_261_124
TOGETHER = 64
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


def post(path, body, *headers):
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def fine_requests():
    v1 = json.dumps(FINE).encode()
    v2 = json.dumps({"id": "1", "inputs": [TENSOR], "outputs": [{"name": "label"}]}).encode()
    binary = write_texts(["a fine day", "no"])
    described = {**TENSOR, "parameters": {"binary_data_size": len(binary)}}
    del described["data"]
    head = json.dumps({"inputs": [described]}).encode()
    return [
        post(V1, v1),
        post("/v1/models/emotion:explain", v1),
        post("/v2/models/emotion/infer", v2),
        post(
            "/v2/models/emotion/infer",
            head + binary,
            f"Inference-Header-Content-Length: {len(head)}",
        ),
        b"GET /v2/models/emotion HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n",
    ]


def with_right_length(head, body):
    head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head)
    return head + b"\r\n\r\n" + body


def other_values(draw, request):
    """Replace one of the JSON values of a request by a strange one."""
    head, _, body = request.partition(b"\r\n\r\n")
    values = list(re.finditer(rb'"[^"]*"|-?\d[\d.]*', body))
    if not values:
        return request
    value = draw.choice(values)
    strange = draw.choice(STRANGE).encode()
    return with_right_length(head, body[: value.start()] + strange + body[value.end() :])


def other_bytes(draw, request):
    """Change bytes of a request's body, or of the whole request."""
    head, _, body = request.partition(b"\r\n\r\n")
    whole = draw.random() < 0.3
    content = bytearray(request if whole else body)
    for _ in range(draw.randint(1, 6)):
        place = draw.randrange(len(content) + 1)
        content[place : place + draw.randint(0, 4)] = draw.choice(
            [*SPLICES, draw.randbytes(draw.randint(1, 20))]
        )
    return bytes(content) if whole else with_right_length(head, bytes(content))


def other_size(draw, request):
    """Cut off or double a request, or give it a huge body."""
    head, _, body = request.partition(b"\r\n\r\n")
    kind = draw.randrange(4)
    if kind == 0:
        return request[: draw.randrange(len(request))]
    if kind == 1:
        return request + request
    if kind == 2:
        return with_right_length(head, body * draw.randint(2, 200))
    return with_right_length(
        head, b'{"instances": [' + b'"a",' * draw.randint(100, 60_000) + b"0]}"
    )


def requests(number):
    draw = random.Random(SEED)  # noqa: S311
    fine = fine_requests()
    for _ in range(number):
        change = draw.choices([other_values, other_bytes, other_size], [5, 4, 1])[0]
        yield change(draw, draw.choice(fine))


async def status_of(url, request):
    """Return the status of the answer; 0 if the connection was cut."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(request)
        line = await reader.readline()
        return int(line.split()[1]) if line else 0
    except ConnectionError:
        return 0
    finally:
        writer.close()


async def statuses_of(url, all_requests):
    together = asyncio.Semaphore(TOGETHER)

    async def one(request):
        async with together, asyncio.timeout(60):
            return request, await status_of(url, request)

    return await asyncio.gather(*map(one, all_requests))


def memory(url):
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    return float(re.search(r"^process_resident_memory_bytes (\S+)", text, re.MULTILINE)[1])


@pytest.mark.parametrize("number", [400, pytest.param(5000, marks=pytest.mark.slow)])
def test_no_bytes_bring_it_down(bounded, request, number):
    number = request.config.getoption("--fuzz-requests") or number
    url = bounded("--header-seconds", "1", "--body-seconds", "1", "--queue-texts", "20000")
    texts = ["a wonderful day", "no"]
    before = ask(url, texts).json()
    all_requests = list(requests(number))
    # After the first quarter all one-time allocations are done.
    answers = asyncio.run(statuses_of(url, all_requests[: number // 4]))
    warm = memory(url)
    answers += asyncio.run(statuses_of(url, all_requests[number // 4 :]))
    grown = (memory(url) - warm) / 2**20

    wrong = [(status, sent[:300]) for sent, status in answers if status >= 500]
    assert not wrong, wrong[:3]
    seen = {status for _, status in answers}
    assert {200, 400} <= seen
    assert sum(status == 200 for _, status in answers) > number // 20
    assert grown < 32
    assert ask(url, texts, timeout=5).json() == before


CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
]


# A schema cannot express that a tensor's shape fits its data, so V2 may refuse what it allows.
@pytest.mark.parametrize(
    ("version", "checks"), [("v1", [*CHECKS, "positive_data_acceptance"]), ("v2", CHECKS)]
)
def test_answers_are_as_openapi_says(bounded, request, tmp_path, version, checks):
    url = bounded("--queue-texts", "20000")
    examples = max(20, request.config.getoption("--fuzz-requests") // 100)
    command = [Path(sys.executable).parent / "schemathesis", "run", f"{url}/openapi.json"]
    command += ["--checks", ",".join(checks), "--max-examples", str(examples), "--seed", str(SEED)]
    command += ["--no-color", "--phases", "examples,coverage,fuzzing"]
    command += ["--include-path-regex", f"^/{version}"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:]
    assert "repeatedly returned 404" not in ended.stdout
