"""Sends very many inputs, some at a time, and counts what comes of them."""

import asyncio
import json
import re
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

TOGETHER = 32
_SECONDS = 110
_MOST_GROWTH = 32 * 2**20
_SHOWN = 3


@dataclass(frozen=True)
class Target:
    """A predictor: where it listens, its log, and the events that its collector got."""

    url: str
    grpc: str
    log: Path
    events: deque[tuple[dict[str, str], bytes]]

    def memory(self):
        text = httpx.get(f"{self.url}/metrics", trust_env=False).text
        return float(re.search(r"^process_resident_memory_bytes (\S+)", text, re.MULTILINE)[1])

    def lines(self):
        """The whole lines of its log, each of which is JSON."""
        whole, _, _ = self.log.read_text("utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]


@dataclass
class Tally:
    """Outcomes with their numbers, and what was wrong with which input."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


Send = Callable[[Any], Awaitable[str]]
"""Sends an input and returns the outcome; an exception says what is wrong with that."""


async def _send_all(inputs: Iterable[Any], send: Send, tally: Tally):
    left = iter(inputs)

    async def worker():
        for each in left:
            try:
                async with asyncio.timeout(_SECONDS):
                    tally.outcomes[await send(each)] += 1
            except Exception as error:  # noqa: BLE001
                tally.outcomes["wrong"] += 1
                tally.faults.append(f"{type(error).__name__}: {error}\n  after {each!r:.1500}")

    await asyncio.gather(*(worker() for _ in range(TOGETHER)))


def campaign(target: Target, inputs: Sequence[Any], send: Send) -> Counter[str]:
    """Send inputs to a predictor; returns the number of each outcome.

    Raises:
        AssertionError: If one is answered wrongly or not in time, the log holds a traceback or what
            is no line of it, or the memory grows with the number of inputs.
    """
    seen = len(target.log.read_text("utf-8").splitlines())
    tally = Tally()
    # After the first quarter all one-time allocations are done.
    warm_up = len(inputs) // 4
    asyncio.run(_send_all(inputs[:warm_up], send, tally))
    warm = target.memory()
    asyncio.run(_send_all(inputs[warm_up:], send, tally))
    grown = target.memory() - warm
    assert not tally.faults, f"{len(tally.faults)} wrong:\n" + "\n".join(tally.faults[:_SHOWN])
    errors = [line for line in target.lines()[seen:] if line["level"] == "ERROR"]
    assert not errors, errors[:_SHOWN]
    assert grown < _MOST_GROWTH
    return tally.outcomes
