"""Batches across requests: texts of many requests, run in threads, in batches of one width.

The event loop only puts texts into a bounded queue and is woken with the results. Requests
take turns, so that a large one does not keep small ones waiting.
"""

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from components.artifacts.model.classifier import Tokens
from components.serve.answers import Refusal

_NICENESS = 5
InferBatch = Callable[[Sequence[Tokens]], NDArray[np.float32]]
Width = Callable[[Tokens], int]


@dataclass(frozen=True)
class BatchLimits:
    """Bounds of the batches and the queue.

    Args:
        texts: Most texts in a batch.
        tokens: Most tokens in a batch, padding included; a longer text is a batch of its own.
        wait_seconds: Longest time that a batch which is not full waits for more texts.
        queue_texts: Most texts in the queue.
    """

    texts: int
    tokens: int
    wait_seconds: float
    queue_texts: int


class BatchObserver(Protocol):
    """The observer of every batch, called in the thread that ran it."""

    def batch(self, texts: int, tokens: int, waited: Sequence[float], seconds: float) -> None:
        """Observe a finished batch.

        Args:
            texts: Number of its texts.
            tokens: Number of its tokens, padding included.
            waited: Seconds that each text waited.
            seconds: Seconds of the inference.
        """


@dataclass
class _Request:
    tokens: Sequence[Tokens]
    widths: Sequence[int]
    rows: list[int]
    """Rows in the queue, the narrowest first."""
    loop: asyncio.AbstractEventLoop
    """The event loop of all requests of a batcher."""
    answer: asyncio.Future[NDArray[np.float32]]
    logits: list[NDArray[np.float32] | None]
    missing: int
    arrived: float = field(default_factory=time.monotonic)


class Batcher:
    """Runs inferences in threads of its own until it is closed.

    Args:
        infer: Computes logits of shape (texts, labels) for a batch of tokens.
        width: Computes the tokens of a text, padding included.
        limits: Bounds of batches and queue.
        threads: Batches at a time.
        observer: Observes every batch.
    """

    def __init__(
        self,
        infer: InferBatch,
        width: Width,
        limits: BatchLimits,
        threads: int,
        observer: BatchObserver,
    ) -> None:
        self._infer, self._width = infer, width
        self._limits, self._observer = limits, observer
        self._requests: deque[_Request] = deque()
        self._waiting = 0
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"inference-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Number of texts in the queue."""
        return self._waiting

    def require_room(self, texts: int) -> None:
        """Refuse texts that do not fit into the queue.

        Raises:
            Refusal: With status 503.
        """
        if self._waiting + texts > self._limits.queue_texts:
            rule = (
                f"{self._waiting} of at most {self._limits.queue_texts} texts are waiting already"
            )
            raise Refusal.overload("queue_texts", f"overloaded: {rule} (queue_texts)")

    async def logits(self, tokens: Sequence[Tokens]) -> NDArray[np.float32]:
        """Compute logits of the texts of one request, shape (texts, labels), in their order.

        If the caller is cancelled, texts that are still waiting are not run.

        Raises:
            Refusal: If the texts do not fit into the queue.
        """
        loop = asyncio.get_running_loop()
        widths = list(map(self._width, tokens))
        rows = sorted(range(len(tokens)), key=widths.__getitem__)
        request = _Request(
            tokens, widths, rows, loop, loop.create_future(), [None] * len(tokens), len(tokens)
        )
        with self._changed:
            self.require_room(len(rows))
            self._waiting += len(rows)
            self._requests.append(request)
            self._changed.notify(len(rows))
        try:
            return await request.answer
        except asyncio.CancelledError:
            self._forget(request)
            raise

    def close(self) -> None:
        """End the threads once the queue is empty, and wait for them."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _forget(self, request: _Request) -> None:
        with self._changed:
            self._waiting -= len(request.rows)
            request.rows.clear()

    def _work(self) -> None:
        # The event loop has little to do, but without delay: probes, refusals, answers.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while batch := self._next_batch():
            self._run(batch)

    def _next_batch(self) -> list[tuple[_Request, int]]:
        """Wait for the next texts to run; an empty list means that there will be no more."""
        limits = self._limits
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if limits.wait_seconds and not self._closed:
                    self._changed.wait_for(
                        lambda: self._waiting >= limits.texts, limits.wait_seconds
                    )
                if self._waiting:
                    return self._take()
                if self._closed:
                    return []

    def _take(self) -> list[tuple[_Request, int]]:
        """Take the narrowest text of the next request, and others of its width."""
        while not self._requests[0].rows:
            self._requests.popleft()
        first = self._requests[0]
        width = first.widths[first.rows[0]]
        most = min(self._limits.texts, max(1, self._limits.tokens // width))
        batch = list(islice(self._of_width(width), most))
        for request, taken in batch:
            request.rows.remove(taken)
        self._waiting -= len(batch)
        self._requests.rotate(-1)
        return batch

    def _of_width(self, width: int) -> Iterator[tuple[_Request, int]]:
        for request in self._requests:
            for row in request.rows:
                if request.widths[row] == width:
                    yield request, row

    def _run(self, batch: Sequence[tuple[_Request, int]]) -> None:
        tokens = [request.tokens[row] for request, row in batch]
        start = time.monotonic()
        try:
            logits = self._infer(tokens)
        except Exception as error:  # noqa: BLE001
            # Any error belongs to the requests of the batch, and the thread must continue.
            _resolve([request for request, _ in batch], error)
            return
        seconds = time.monotonic() - start
        _resolve(self._completed(batch, logits))
        padded = sum(request.widths[row] for request, row in batch)
        waited = [start - request.arrived for request, _ in batch]
        self._observer.batch(len(batch), padded, waited, seconds)

    def _completed(
        self, batch: Sequence[tuple[_Request, int]], logits: NDArray[np.float32]
    ) -> list[_Request]:
        """Store the logits of a batch, and return the requests that now have all of theirs."""
        completed = []
        with self._changed:
            for (request, row), answer in zip(batch, logits, strict=True):
                request.logits[row] = answer
                request.missing -= 1
                if not request.missing:
                    completed.append(request)
        return completed


def _resolve(requests: Sequence[_Request], error: Exception | None = None) -> None:
    """Hand requests their logits or the error, in their event loop, which wakes once for all."""

    def resolve() -> None:
        for request in requests:
            if request.answer.done():
                continue
            if error:
                request.answer.set_exception(error)
            else:
                request.answer.set_result(np.stack(request.logits))  # type: ignore[arg-type]

    # If the loop is closed, nobody is waiting any more.
    with suppress(RuntimeError):
        if requests:
            requests[0].loop.call_soon_threadsafe(resolve)
