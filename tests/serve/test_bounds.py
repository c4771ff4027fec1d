"""Every bound is a setting, and an excess is answered with a status and the bound's name."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from components.deploy.local import running_predictor
from tests.serve import raw
from tests.serve.asking import V1, ask
from tests.waiting import wait_for

HEAD = f"POST {V1} HTTP/1.1\r\nHost: x\r\n"
TIGHT = {
    "max-body-bytes": "1000",
    "max-header-bytes": "2048",
    "max-texts": "2",
    "max-characters": "5",
    "body-seconds": "0.5",
    "header-seconds": "3",
    "idle-seconds": "1",
}


@pytest.fixture(scope="module")
def tight(model_folder, tmp_path_factory):
    """URL of a predictor with tight bounds and without a page."""
    log = tmp_path_factory.mktemp("tight") / "predictor.log"
    options = ["--no-page", *(f"--{name}={value}" for name, value in TIGHT.items())]
    with running_predictor(model_folder, "emotion", log, options=options) as url:
        yield url


def connect(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def answer_of(connection):
    """Status and error of what is answered until the other side closes."""
    content = b""
    while part := connection.recv(65_536):
        content += part
    head, _, body = content.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    return int(head.split()[1]), json.loads(body)["error"]


def endless(connection, line):
    """Status of the answer to lines that are sent until there is one."""
    connection.settimeout(0.01)
    for _ in range(10_000):
        try:
            connection.sendall(line * 500)
            return int(connection.recv(65_536).split()[1])
        except TimeoutError:
            continue
    return 0


def test_a_body_too_large_is_refused_before_it_is_sent(tight):
    with connect(tight) as connection:
        connection.sendall(f"{HEAD}Content-Length: 1001\r\n\r\n".encode())
        assert answer_of(connection) == (413, "a body may have at most 1000 bytes (max_body_bytes)")


@pytest.mark.parametrize("hosts", ["", "Host: x\r\nHost: y\r\n"])
def test_a_body_that_nobody_reads_keeps_no_connection(tight, hosts):
    with connect(tight) as connection:
        head = f"POST {V1} HTTP/1.1\r\n{hosts}Content-Length: 10000000000\r\n\r\n"
        connection.sendall(head.encode())
        status, error = answer_of(connection)
    assert (status, "Host header" in error) == (400, True)


def test_what_parts_a_body_into_chunks_or_trails_it_is_bounded(tight):
    with connect(tight) as connection:
        connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n".encode())
        assert endless(connection, b"a: b\r\n") == 413


def test_a_chunked_body_is_counted_as_it_comes(tight):
    with connect(tight) as connection:
        connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(4):
            connection.sendall(b"12c\r\n" + b"x" * 300 + b"\r\n")
        assert answer_of(connection)[0] == 413


def test_a_compressed_body_is_refused(client):
    headers = {"Content-Encoding": "gzip"}
    answer = client.post(V1, content=b"\x1f\x8b" + b"0" * 100, headers=headers)
    assert answer.status_code == 415
    assert "Content-Encoding" in answer.json()["error"]


def test_texts_and_characters_are_bounded_by_settings(tight):
    many = ask(tight, ["a"] * 3)
    long = ask(tight, ["abcdef"])
    assert "not 3 (max_texts)" in many.json()["error"]
    assert "(max_characters)" in long.json()["error"]
    schema = httpx.get(f"{tight}/openapi.json", trust_env=False).json()["components"]["schemas"]
    assert schema["PredictRequest"]["properties"]["instances"]["maxItems"] == 2


def test_a_slow_body_is_cut_off(tight):
    with connect(tight) as connection:
        connection.sendall(f"{HEAD}Content-Length: 100\r\n\r\nabc".encode())
        assert answer_of(connection) == (408, "the body took longer than 0.5 s (body_seconds)")


def test_slow_headers_are_cut_off_while_others_are_served(tight):
    slow = [connect(tight) for _ in range(40)]
    for connection in slow:
        connection.sendall(b"POST / HTTP/1.1\r\nX-Slow: ")
    for _ in range(3):
        assert ask(tight, ["a"]).is_success
        for connection in slow:
            connection.sendall(b"x")
    for connection in slow:
        assert answer_of(connection) == (408, "the headers took too long (header_seconds)")
        connection.close()


def test_headers_that_wait_for_earlier_answers_are_not_late(bounded):
    long = json.dumps({"instances": ["a word " * 30] * 4}).encode()
    # A busy machine takes its time with them.
    url = bounded("--header-seconds", "0.5", "--request-seconds", "600")
    with raw.connection(url, timeout=600) as connected:
        work = raw.request(long, "Host: x", target="/v1/models/emotion:explain")
        live = raw.request(b"", "Host: x", target="/v2/health/live", method="GET")
        connected.send(work + live + live[:9])
        connected.send(live[9:])
        assert [connected.answer().status for _ in range(3)] == [200] * 3


def test_a_connection_that_says_nothing_is_closed(tight):
    with connect(tight) as connection:
        assert answer_of(connection)[0] == 408


def test_an_idle_connection_is_closed(tight):
    with connect(tight) as connection:
        connection.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        until_closed = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert until_closed.startswith(b"HTTP/1.1 200")


def test_headers_too_large_are_refused(tight):
    with connect(tight) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(200):
                connection.sendall(b"x" * 1000)
                time.sleep(0.01)
    refused = httpx.get(f"{tight}/metrics", trust_env=False).text
    assert 'classifier_refused_total{bound="max_header_bytes"} 1.0' in refused


def test_bytes_that_are_not_http_are_refused_in_json(predictor_url):
    with connect(predictor_url) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\r\n\r\n")
        status, error = answer_of(connection)
    assert (status, error) == (400, "Invalid HTTP request received.")


def test_connections_are_bounded(bounded):
    url = bounded("--max-connections", "3")
    first = [connect(url) for _ in range(3)]
    try:
        with connect(url) as one_more:
            assert answer_of(one_more) == (503, "too many connections are open (max_connections)")
    finally:
        for connection in first:
            connection.close()
    wait_for(lambda: httpx.get(f"{url}/v2/health/live", trust_env=False).is_success)


def test_requests_in_progress_are_bounded_and_probes_get_through(bounded):
    url = bounded("--max-requests", "2", "--threads", "1")
    long = "an ordinary day with a long walk in it " * 20

    with ThreadPoolExecutor(24) as pool:
        asked = [pool.submit(ask, url, [long] * 30) for _ in range(24)]
        time.sleep(0.1)
        assert httpx.get(f"{url}/v2/health/live", trust_env=False).is_success
        answers = [each.result() for each in asked]
    refused = [each for each in answers if each.status_code == 503]
    assert len(refused) + sum(each.status_code == 200 for each in answers) == len(answers)
    assert all(each.headers["Retry-After"] == "1" for each in refused)
    assert refused
    assert all(
        "2 requests are in progress (max_requests)" in each.json()["error"] for each in refused
    )
    assert ask(url, [long]).status_code == 200


def test_a_queue_that_is_full_is_named(bounded):
    # Five requests fit under max_requests, but not their texts into the queue.
    url = bounded("--queue-texts", "70", "--max-texts", "70", "--threads", "1")
    long = "an ordinary day with a long walk in it " * 20

    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(ask, url, [long] * 70) for _ in range(5)]
        answers = [each.result() for each in asked]
    errors = [each.json()["error"] for each in answers if each.status_code == 503]
    assert errors
    assert all("of at most 70 texts are waiting already (queue_texts)" in each for each in errors)


def test_a_request_that_takes_too_long_is_given_up(bounded):
    url = bounded("--request-seconds", "0.1", "--threads", "1")
    answer = ask(url, ["an ordinary day with a long walk in it " * 20] * 200)
    assert answer.status_code == 503
    assert "(request_seconds)" in answer.json()["error"]
    # The batch in progress is not broken off: until it ends, the next text waits behind it.
    wait_for(lambda: ask(url, ["a"]).is_success)


def test_the_page_can_be_switched_off(tight, predictor_url):
    for url, kind in ((tight, "application/json"), (predictor_url, "text/html")):
        answer = httpx.get(url, headers={"Accept": "text/html"}, trust_env=False)
        assert answer.headers["content-type"].startswith(kind)
