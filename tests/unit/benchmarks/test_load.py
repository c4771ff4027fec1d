"""The load generator against a real server that stalls, refuses or does not answer."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.benchmarks.serve.load import Load, send

Handler = Callable[[web.Request], Awaitable[web.Response]]
STALL = 0.6


def measured(handler: Handler, **changes):
    async def run():
        application = web.Application()
        application.router.add_post("/", handler)
        async with TestServer(application) as server:
            settings = {"bodies": ["{}"], "texts_per_request": 1, "warm_up": 0.0, "seconds": 1.0}
            return await send(Load(url=str(server.make_url("/")), **(settings | changes)))

    return asyncio.run(run())


def stalling() -> Handler:
    """Holds every request until some time after the first, then answers at once."""
    opened: list[float] = []

    async def handler(_: web.Request) -> web.Response:
        opened.append(time.monotonic())
        await asyncio.sleep(max(0.0, opened[0] + STALL - time.monotonic()))
        return web.Response()

    return handler


def test_an_open_loop_counts_all_who_came_while_the_server_stalled():
    found = measured(stalling(), rate=50.0, arrivals="even")
    assert found.requests == 50
    assert found.failed == found.refused == found.unanswered == 0
    # The 30th request was due 20 ms before the stall ended, the 15th 320 ms before: of 50 requests
    # a quarter waited at least 300 ms, though a closed loop would have sent only one.
    assert found.p50 >= 90
    assert found.p95 >= 500


def test_a_closed_loop_has_as_many_open_requests_as_clients():
    open_now, most = 0, 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.01)
        open_now -= 1
        return web.Response()

    found = measured(handler, clients=3, seconds=0.5)
    assert most == 3
    assert found.requests_per_second > 3 / 0.5
    assert found.p50 >= 10


def test_lateness_of_the_generator_itself_counts():
    async def handler(_: web.Request) -> web.Response:
        # The server's loop is the generator's here: it sends nothing meanwhile.
        time.sleep(0.05)
        return web.Response()

    assert measured(handler, rate=40.0, arrivals="even", seconds=0.5).p50 >= 100


def test_random_arrivals_have_the_rate_that_was_asked_for():
    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    found = measured(handler, rate=200.0)
    assert 120 < found.requests < 280


def test_refused_and_failed_requests_are_counted():
    statuses = iter([200, 503, 500] * 10_000)

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=next(statuses))

    found = measured(handler, rate=30.0, arrivals="even")
    assert (found.requests, found.refused, found.failed) == (30, 10, 10)


def test_a_request_that_takes_too_long_has_failed():
    async def handler(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    assert measured(handler, clients=1, timeout=0.2).failed >= 3


def test_a_request_without_answer_does_not_hold_the_generator():
    async def handler(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    found = measured(handler, rate=10.0, arrivals="even", drain=0.1)
    assert (found.requests, found.unanswered) == (10, 10)
    assert found.p99 >= 1000


def test_all_bodies_are_sent_and_the_order_is_the_seeds():
    def sent(seed: int) -> list[str]:
        seen: list[str] = []

        async def handler(request: web.Request) -> web.Response:
            seen.append(await request.text())
            return web.Response()

        bodies = [str(number) for number in range(20)]
        measured(handler, clients=1, bodies=bodies, seconds=0.2, seed=seed)
        assert set(seen) == set(bodies)
        return seen[:20]

    assert sent(0) == sent(0) != sent(1)


@pytest.mark.parametrize("wrong", [{}, {"clients": 1, "rate": 1.0}, {"rate": 1.0, "arrivals": "x"}])
def test_contradictions_are_refused(wrong):
    with pytest.raises(ValueError, match=r"rate|arrivals"):
        Load(url="http://localhost", bodies=["{}"], texts_per_request=1, **wrong)


def test_the_process_reads_a_load_and_writes_figures():
    load = Load(
        url="http://127.0.0.1:9/",  # Nothing listens there.
        bodies=["{}"],
        texts_per_request=1,
        rate=20.0,
        arrivals="even",
        seconds=0.5,
        warm_up=0.0,
    )
    ended = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.serve.load"],
        input=json.dumps(asdict(load)),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(ended.stdout)["failed"] == 10
