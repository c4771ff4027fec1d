"""HTTP/1.1 as RFC 9110 and RFC 9112 want it: upgrades, hosts, codings, sizes, HEAD."""

import json
import time
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serve.raw import connection, request

TEXT = "i feel wonderful today"
BODY = json.dumps({"instances": [TEXT]}).encode()
HOST = "Host: x"
# As the HttpClient of Java sends them by default.
H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB")
LIVE = request(b"", HOST, target="/v2/health/live", method="GET")
UPGRADES = [
    H2C,
    ("Connection: Upgrade", "Upgrade: h2c"),
    ("connection: keep-alive, upgrade", "upgrade: websocket", "Sec-WebSocket-Version: 13"),
    ("Connection: Upgrade", "Upgrade: TLS/1.0, HTTP/2.0"),
    ("Connection: keep-alive", "Connection: Upgrade", "Upgrade: h2c"),
    ("Connection: Upgrade", "Upgrade: "),
    ("Connection: Upgrade",),
    ("Upgrade: h2c",),
]


def label_of(answer):
    assert answer.status == 200, answer
    (prediction,) = json.loads(answer.body)["predictions"]
    return prediction["label"]


@pytest.fixture(scope="session")
def label(client):
    """The label of the text."""
    answer = client.post("/v1/models/emotion:predict", content=BODY)
    return answer.json()["predictions"][0]["label"]


@pytest.mark.parametrize("upgrade", UPGRADES)
def test_a_request_to_upgrade_is_answered_over_http_1(predictor_url, label, upgrade):
    with connection(predictor_url) as connected:
        for _ in range(3):
            connected.send(request(BODY, HOST, *upgrade))
            assert label_of(connected.answer()) == label
        connected.send(LIVE)
        assert connected.answer().body == b'{"live":true}'


@pytest.mark.parametrize("upgrade", UPGRADES)
def test_a_request_to_upgrade_may_come_in_chunks(predictor_url, label, upgrade):
    chunks = b"5\r\n" + BODY[:5] + b"\r\n%x\r\n" % (len(BODY) - 5) + BODY[5:] + b"\r\n0\r\n\r\n"
    with connection(predictor_url) as connected:
        connected.send(request(chunks, HOST, "Transfer-Encoding: chunked", *upgrade) + LIVE)
        assert label_of(connected.answer()) == label
        assert connected.answer().body == b'{"live":true}'


@given(st.sets(st.integers(1, 700)))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_requests_to_upgrade_may_come_in_any_pieces(predictor_url, label, cuts):
    content = (request(BODY, HOST, *H2C) + LIVE) * 2
    places = [0, *sorted(each for each in cuts if each < len(content)), len(content)]
    pieces = [content[a:b] for a, b in pairwise(places)]
    with connection(predictor_url) as connected:
        connected.send(*pieces)
        for _ in range(2):
            assert label_of(connected.answer()) == label
            assert connected.answer().body == b'{"live":true}'


def test_a_body_may_come_after_the_server_asks_for_it(predictor_url, label):
    head = request(BODY, HOST, "Expect: 100-continue", *H2C).removesuffix(BODY)
    with connection(predictor_url) as connected:
        connected.send(head)
        assert connected.answer(bodiless=True).status == 100
        connected.send(BODY)
        assert label_of(connected.answer()) == label


def test_a_request_to_upgrade_keeps_to_the_other_rules(predictor_url):
    for extra, status in (
        ("Content-Encoding: gzip", 415),
        ("Content-Encoding: gzip\r\nContent-Encoding: identity", 415),
        ("Transfer-Encoding: gzip, chunked", 501),
        ("Content-Length: 300000", 413),
        ("Host: y", 400),
    ):
        with connection(predictor_url) as connected:
            connected.send(request(b"", HOST, extra, *H2C))
            assert connected.answer().status == status


def test_a_request_to_upgrade_may_close_the_connection(predictor_url, label):
    with connection(predictor_url) as connected:
        connected.send(request(BODY, HOST, "Connection: Upgrade, close", "Upgrade: h2c"))
        answer = connected.answer()
        assert (label_of(answer), answer.headers["connection"]) == (label, "close")
        assert connected.rest() == b""


def test_many_requests_to_upgrade_at_once_are_read_one_after_the_other(predictor_url):
    get = request(b"", HOST, *H2C, target="/v2/health/live", method="GET")
    with connection(predictor_url) as connected:
        connected.send(get * 1500)
        assert {connected.answer().status for _ in range(1500)} == {200}


@pytest.mark.parametrize("target", ["x:443", "/", "http://x/"])
def test_a_tunnel_is_refused(predictor_url, target):
    with connection(predictor_url) as connected:
        connected.send(request(b"", HOST, target=target, method="CONNECT"))
        answer = connected.answer()
        assert answer.status in {400, 405}
        # Nothing that follows would be read.
        assert answer.headers["connection"] == "close"
        assert connected.rest() == b""


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (b"no HTTP\r\n\r\n", 400),
        (request(b"", HOST, f"Content-Length: {'0' * 5000}"), 400),
        (request(b"", HOST, "no colon"), 400),
        (request(b"g\r\n", HOST, "Transfer-Encoding: chunked"), 400),
        (request(b"", HOST, "Transfer-Encoding: gzip"), 501),
        (request(b"", HOST, "X-Long: " + "x" * 20_000), 431),
    ],
)
@pytest.mark.parametrize("good", [1, 3])
def test_requests_before_a_bad_one_get_their_own_answers(predictor_url, label, bad, status, good):
    with connection(predictor_url) as connected:
        connected.send(request(BODY, HOST) * good + bad)
        for _ in range(good):
            assert label_of(connected.answer()) == label
        assert connected.answer().status == status
        assert connected.rest() == b""


@pytest.mark.parametrize(
    ("hosts", "version", "status"),
    [
        ([], "1.1", 400),
        ([], "1.0", 200),
        (["Host: x"], "1.0", 200),
        (["Host: x", "Host: y"], "1.1", 400),
        (["Host: x", "host: x"], "1.1", 400),
        (["Host: x", "Host: y"], "1.0", 400),
        (["Host: a b"], "1.1", 400),
        (["Host: x/y"], "1.1", 400),
        (["Host: user@x"], "1.1", 400),
        (["Host: x:port"], "1.1", 400),
        (["Host:"], "1.1", 200),
        (["Host: x:8080"], "1.1", 200),
        (["Host: my_model-predictor.some-space.svc.cluster.local."], "1.1", 200),
        (["Host: [::1]:8080"], "1.1", 200),
    ],
)
def test_a_request_names_its_host_once(predictor_url, hosts, version, status):
    with connection(predictor_url) as connected:
        live = "/v2/health/live"
        connected.send(request(b"", *hosts, target=live, method="GET", version=version))
        answer = connected.answer()
    assert answer.status == status
    if status == 400:
        assert "Host header" in answer.error


@pytest.mark.parametrize(
    ("codings", "status"),
    [
        (["chunked"], 200),
        (["Chunked"], 200),
        (["gzip, chunked"], 501),
        (["gzip", "chunked"], 501),
        # Where such a body ends is not known (RFC 9112, section 6.3).
        (["chunked, gzip"], 400),
        (["gzip"], 501),
        (["identity"], 501),
        (["xchunked"], 501),
    ],
)
def test_the_only_transfer_coding_is_chunked(predictor_url, codings, status):
    chunks = b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"
    headers = [f"Transfer-Encoding: {each}" for each in codings]
    with connection(predictor_url) as connected:
        connected.send(request(chunks, HOST, *headers))
        answer = connected.answer()
        assert answer.status == status
        if status == 501:
            assert answer.error == "the only transfer coding is `chunked` (Transfer-Encoding)"
            assert connected.rest() == b""


def test_fields_that_trail_a_body_are_no_headers(predictor_url, label):
    trailer = b"Content-Encoding: gzip\r\nInference-Header-Content-Length: 1\r\n"
    chunks = b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n" + trailer + b"\r\n"
    with connection(predictor_url) as connected:
        connected.send(request(chunks, HOST, "Transfer-Encoding: chunked") + LIVE)
        assert label_of(connected.answer()) == label
        assert connected.answer().status == 200


@pytest.mark.parametrize(
    ("headers", "target"),
    [
        (["X-Long: " + "x" * 60_000], "/v2/health/live"),
        ([f"X-{place}: {'x' * 100}" for place in range(200)], "/v2/health/live"),
        ([f"X-{place}:" for place in range(3000)], "/v2/health/live"),
        ([], "/v2/health/live?" + "x" * 20_000),
        ([], "/" + "x" * 20_000),
    ],
)
@pytest.mark.parametrize("upgrade", [(), H2C])
def test_a_head_too_large_is_refused_also_in_one_segment(predictor_url, headers, target, upgrade):
    with connection(predictor_url) as connected:
        connected.send(request(b"", HOST, *headers, *upgrade, target=target, method="GET"))
        answer = connected.answer()
        assert (answer.status, answer.headers["connection"]) == (431, "close")
        assert answer.error == "the headers are too large (max_header_bytes)"


def test_a_head_within_its_bound_is_read(predictor_url):
    with connection(predictor_url) as connected:
        connected.send(LIVE.replace(b"\r\n\r\n", b"\r\nX-Long: " + b"x" * 15_000 + b"\r\n\r\n"))
        assert connected.answer().status == 200


def test_head_is_get_without_the_body(client):
    paths = ["/", "/metrics", "/openapi.json", "/v1/models", "/v1/models/emotion", "/v2", "/v2/"]
    paths += ["/v2/health/live", "/v2/health/ready", "/v2/models/emotion"]
    paths += ["/v2/models/emotion/ready"]
    for path in paths:
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers["content-type"] == get.headers["content-type"]
        if path != "/metrics":
            assert head.headers["content-length"] == get.headers["content-length"]
    assert client.head("/nothing").status_code == 404
    assert client.head("/v2/models/emotion/infer").status_code == 405


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
    ],
)
def test_the_page_goes_to_browsers_and_the_state_to_programs(client, accept, kind):
    answer = client.get("/", headers={"Accept": accept})
    assert (answer.headers["content-type"], answer.headers["vary"]) == (kind, "Accept")
    if kind == "application/json":
        assert answer.json() == {"status": "alive"}


def test_a_slow_head_of_a_request_to_upgrade_is_counted_once(predictor_url, label):
    content = request(BODY, HOST, *H2C)
    with connection(predictor_url) as connected:
        for piece in (content[:40], content[40:80], content[80:]):
            connected.send(piece)
            time.sleep(0.05)
        assert label_of(connected.answer()) == label


def test_an_answer_comes_in_one_piece(predictor_url, label):
    with connection(predictor_url) as connected:
        connected.send(request(BODY, HOST))
        assert label.encode() in connected.piece().partition(b"\r\n\r\n")[2]
