"""The load generator: `python -m tests.benchmarks.serve.load < load.json > figures.json`.

A process of its own, since it shares the cores with the server that it measures: bodies come
ready made, answers are read and not parsed, and figures are made when the load is over.
"""

import asyncio
import itertools
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import uvloop

from tests.benchmarks.serve.connections import Connections
from tests.benchmarks.serve.figures import FAILED, UNANSWERED, Figures, Outcome, figures

_CONNECTIONS = 512


@dataclass(frozen=True)
class Load:
    """What is sent to a server, and for how long."""

    url: str
    bodies: Sequence[str]
    """JSON bodies; all are sent in random order, then all again."""
    texts_per_request: int
    clients: int = 0
    """Closed loop: this many clients, each of which asks again as soon as it has its answer."""
    rate: float = 0.0
    """Open loop: requests a second, whether or not earlier ones have been answered."""
    arrivals: str = "poisson"
    """Open loop: `poisson`, as independent users ask, or `even`."""
    seconds: float = 10.0
    """Measured time."""
    warm_up: float = 3.0
    """Seconds of the same load before it."""
    drain: float = 10.0
    """Seconds after it in which answers are still waited for."""
    timeout: float = 60.0
    """Seconds after which a request has failed."""
    seed: int = 0

    def __post_init__(self) -> None:
        if (self.clients > 0) == (self.rate > 0):
            raise ValueError("a load has either clients or a rate")
        if self.arrivals not in ("poisson", "even"):
            raise ValueError(f"arrivals={self.arrivals!r} must be poisson or even")


class Generator:
    """Sends one load and keeps what became of each request."""

    def __init__(self, load: Load, connections: Connections) -> None:
        self._load = load
        self._connections = connections
        self._random = random.Random(load.seed)
        self._bodies = self._shuffled_for_ever()
        self._end = load.warm_up + load.seconds
        self._started = time.perf_counter()
        self.outcomes: list[Outcome] = []

    def now(self) -> float:
        return time.perf_counter() - self._started

    async def run(self) -> None:
        """Send the load; returns when all is answered or the drain is over."""
        if self._load.clients:
            tasks = [asyncio.create_task(self._client()) for _ in range(self._load.clients)]
            await asyncio.sleep(self._end - self.now())
        else:
            tasks = await self._send_on_time()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._load.drain)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _client(self) -> None:
        while (now := self.now()) < self._end:
            await self._ask(now)

    async def _send_on_time(self) -> list[asyncio.Task[None]]:
        tasks = []
        for due in itertools.takewhile(lambda due: due < self._end, self._due_times()):
            # Requests that are late already go out at once: they count from when they were due.
            await asyncio.sleep(max(0.0, due - self.now()))
            tasks.append(asyncio.create_task(self._ask(due)))
        await asyncio.sleep(max(0.0, self._end - self.now()))
        return tasks

    def _due_times(self) -> Iterator[float]:
        """Seconds after the start, without end."""
        rate = self._load.rate
        if self._load.arrivals == "even":
            return (number / rate for number in itertools.count())
        gaps = (self._random.expovariate(rate) for _ in itertools.count())
        return itertools.accumulate(gaps)

    async def _ask(self, due: float) -> None:
        status = UNANSWERED
        try:
            async with asyncio.timeout(self._load.timeout):
                status = await self._connections.post(next(self._bodies))
        except TimeoutError:
            status = FAILED
        finally:
            self.outcomes.append(Outcome(due, self.now(), status))

    def _shuffled_for_ever(self) -> Iterator[bytes]:
        bodies = [body.encode() for body in self._load.bodies]
        # A generator of its own: the order is the same at every rate.
        random.Random(self._load.seed).shuffle(bodies)
        return itertools.cycle(bodies)


async def send(load: Load) -> Figures:
    """Send a load and return its figures."""
    # The number of connections is bounded by the operating system's limit of open files; a
    # request that waits for one has its waiting counted.
    with Connections(load.url, _CONNECTIONS) as connections:
        generator = Generator(load, connections)
        used, started = time.process_time(), time.perf_counter()
        await generator.run()
        share = (time.process_time() - used) / (time.perf_counter() - started)
    end = load.warm_up + load.seconds
    return figures(generator.outcomes, load.warm_up, end, load.texts_per_request, share)


def main() -> None:
    load = Load(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(send(load))), sys.stdout)


if __name__ == "__main__":
    main()
