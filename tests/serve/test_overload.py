"""Four times the predictor's capacity, for 30 seconds."""

import asyncio
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import aiohttp
import pytest

from tests.serve.asking import V1, ask

TEXTS = [
    "i feel wonderful about this long and ordinary day with all of my friends around me",
    "the bill is still wrong , and i am furious with all of you about it again",
]
SECONDS = 30
PROBE_TIMEOUT_SECONDS = 2
"""What `manifests/base/serving-runtime.yaml` grants a probe before the kubelet counts a failure."""


async def closed_loop(url, seconds, clients):
    """Requests per second that some clients get answered, each one at a time."""
    deadline = time.monotonic() + seconds

    async def client(session, number):
        answered = 0
        while time.monotonic() < deadline:
            body = {"instances": [TEXTS[number % 2]]}
            async with session.post(url + V1, json=body) as answer:
                answered += answer.status == 200
        return answered

    async with aiohttp.ClientSession() as session:
        done = await asyncio.gather(*(client(session, number) for number in range(clients)))
    return sum(done) / seconds


async def open_loop(url, seconds, rate):
    """Statuses of requests sent at a fixed rate, whatever the answers."""
    statuses = []

    async def one(session, number):
        async with session.post(url + V1, json={"instances": [TEXTS[number % 2]]}) as answer:
            await answer.read()
            statuses.append(answer.status)

    connector = aiohttp.TCPConnector(limit=600)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        start, sent, running = time.monotonic(), 0, set()
        while (passed := time.monotonic() - start) < seconds:
            while sent < passed * rate:
                running.add(asyncio.ensure_future(one(session, sent)))
                sent += 1
            await asyncio.sleep(0.01)
            running = {each for each in running if not each.done()}
        await asyncio.gather(*running)
    return sent, statuses


async def probes(url, stop):
    """Seconds of each liveness probe until stopped."""
    seconds = []
    async with aiohttp.ClientSession() as session:
        while not stop.is_set():
            start = time.monotonic()
            async with session.get(f"{url}/v2/health/live") as answer:
                assert answer.status == 200
                await answer.read()
            seconds.append(time.monotonic() - start)
            await asyncio.sleep(0.05)
    return seconds


def overload(url, rate):
    return asyncio.run(open_loop(url, SECONDS, rate))


def loaded(url, rate):
    """Overload from another process, whose slowness must not count as the probes'."""

    async def probed(process):
        stop = asyncio.Event()
        probing = asyncio.ensure_future(probes(url, stop))
        answers = await asyncio.wrap_future(process.submit(overload, url, rate))
        stop.set()
        return answers, await probing

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return asyncio.run(probed(process))


@pytest.mark.slow
def test_overload_is_answered_or_refused_while_liveness_holds(bounded):
    url = bounded()
    capacity = asyncio.run(closed_loop(url, 3, 32))
    (sent, statuses), liveness = loaded(url, 4 * capacity)

    assert len(statuses) == sent
    assert set(statuses) <= {200, 503}
    assert statuses.count(503) > 0.3 * sent
    # It still answers up to its capacity, although the load itself takes one of the processors.
    assert statuses.count(200) > 0.3 * capacity * SECONDS
    assert statistics.median(liveness) < 0.1
    assert max(liveness) < PROBE_TIMEOUT_SECONDS
    assert len(liveness) > SECONDS
    after = asyncio.run(closed_loop(url, 2, 8))
    assert after > 0.3 * capacity
    assert ask(url, [TEXTS[1]], timeout=5).status_code == 200
