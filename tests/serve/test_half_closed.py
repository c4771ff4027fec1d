"""Clients that end their sending side and wait for the answer (RFC 9112, section 9.6)."""

import json

import pytest

from tests.serve.raw import connection, request
from tests.waiting import wait_for

HOST = "Host: x"
BODY = json.dumps({"instances": ["i feel wonderful today"]}).encode()
MANY = json.dumps({"instances": ["i feel wonderful today"] * 100}).encode()
LIVE = request(b"", HOST, target="/v2/health/live", method="GET")


def chunked(content):
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)


@pytest.mark.parametrize(
    ("sent", "texts"),
    [
        (request(BODY, HOST), 1),
        (request(MANY, HOST), 100),
        (request(BODY, HOST, "Connection: close"), 1),
        (request(BODY, HOST, "Connection: Upgrade", "Upgrade: h2c"), 1),
        (request(chunked(BODY), HOST, "Transfer-Encoding: chunked"), 1),
        (request(BODY, version="1.0"), 1),
    ],
)
def test_a_whole_request_is_answered_and_the_connection_ends(predictor_url, sent, texts):
    with connection(predictor_url) as connected:
        connected.send(sent)
        connected.end()
        answer = connected.answer()
        assert answer.status == 200
        assert len(json.loads(answer.body)["predictions"]) == texts
        assert connected.rest() == b""


def test_requests_in_a_row_are_all_answered(predictor_url):
    with connection(predictor_url) as connected:
        connected.send(request(BODY, HOST) + LIVE + request(MANY, HOST) + LIVE)
        connected.end()
        answers = [connected.answer() for _ in range(4)]
        assert [each.status for each in answers] == [200] * 4
        assert [len(each.body) for each in answers[1::2]] == [len(b'{"live":true}')] * 2
        assert connected.rest() == b""


def test_an_idle_connection_ends(predictor_url):
    with connection(predictor_url) as connected:
        connected.end()
        assert connected.rest() == b""
    with connection(predictor_url) as connected:
        connected.send(LIVE)
        assert connected.answer().status == 200
        connected.end()
        assert connected.rest() == b""


@pytest.mark.parametrize(
    "sent",
    [
        request(BODY, HOST)[:-1],
        request(b"", HOST, "Content-Length: 5"),
        request(b"5\r\nab", HOST, "Transfer-Encoding: chunked"),
    ],
)
def test_a_body_that_cannot_become_whole_is_refused(predictor_url, sent):
    for before in (b"", LIVE, request(MANY, HOST)):
        with connection(predictor_url) as connected:
            connected.send(before + sent)
            connected.end()
            if before:
                assert connected.answer().status == 200
            answer = connected.answer()
            assert (answer.status, answer.headers["connection"]) == (400, "close")
            assert answer.error == "the connection ended within the body"
            assert connected.rest() == b""


@pytest.mark.parametrize("part", [b"G", LIVE[:-1], request(BODY, HOST)[:30]])
def test_a_head_that_cannot_become_whole_ends_the_connection(predictor_url, part):
    for before in (b"", request(BODY, HOST)):
        with connection(predictor_url) as connected:
            connected.send(before + part)
            connected.end()
            if before:
                assert connected.answer().status == 200
            assert connected.rest() == b""


def test_a_client_that_goes_away_leaves_the_others_alone(predictor_url):
    def status():
        with connection(predictor_url) as connected:
            connected.send(request(BODY, HOST))
            return connected.answer().status

    for _ in range(20):
        with connection(predictor_url) as connected:
            connected.send(request(MANY, HOST))
    # What they asked for may fill the queue for a moment.
    wait_for(lambda: status() == 200)
