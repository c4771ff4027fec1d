import asyncio
import threading

import numpy as np
import pytest

from components.serve.answers import Refusal
from components.serve.batching import Batcher, BatchLimits


class Engine:
    """Answers each text with its number of tokens, once the gate is open; notes the batches."""

    def __init__(self):
        self.gate = threading.Event()
        self.batches = []

    def infer(self, batch):
        self.gate.wait(10)
        self.batches.append([len(tokens) for tokens in batch])
        if any(tokens[0] < 0 for tokens in batch):
            raise ValueError("a text that breaks the engine")
        return np.array([[len(tokens)] for tokens in batch], dtype=np.float32)


class Observer:
    def __init__(self):
        self.seen = []

    def batch(self, texts, tokens, waited, seconds):
        self.seen.append((texts, tokens, len(waited)))
        assert min(waited) >= 0
        assert seconds >= 0


def tens(tokens):
    """The width of a text: tokens rounded up to tens."""
    return -(-len(tokens) // 10) * 10


@pytest.fixture
def engine():
    return Engine()


def batcher(engine, texts=8, tokens=100, wait=0.0, queue=100, threads=1):
    observer = Observer()
    made = Batcher(engine.infer, tens, BatchLimits(texts, tokens, wait, queue), threads, observer)
    made.observer = observer
    return made


def texts(*lengths):
    return [[1] * length for length in lengths]


async def under_way(made):
    """A request of one text that the only thread has taken."""
    first = asyncio.ensure_future(made.logits(texts(1)))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        while made.waiting:
            await asyncio.sleep(0.001)
    return first


def run(engine, made, *requests):
    """Answers to requests that all wait together behind a first text of length 1."""

    async def ask():
        first = await under_way(made)
        rest = [asyncio.ensure_future(made.logits(each)) for each in requests]
        await asyncio.sleep(0)
        engine.gate.set()
        await first
        return await asyncio.gather(*rest, return_exceptions=True)

    try:
        return asyncio.run(ask())
    finally:
        engine.gate.set()
        made.close()


def test_each_request_gets_its_own_answers_in_its_order(engine):
    first, second = run(engine, batcher(engine), texts(5, 2, 9), texts(3, 4))
    assert first.tolist() == [[5], [2], [9]]
    assert second.tolist() == [[3], [4]]


def test_texts_of_one_width_share_a_batch_across_requests(engine):
    run(engine, batcher(engine), texts(4, 21, 30), texts(29, 5, 11))
    assert sorted(sorted(batch) for batch in engine.batches[1:]) == [[4, 5], [11], [21, 29, 30]]


def test_a_batch_has_no_more_texts_than_allowed(engine):
    run(engine, batcher(engine, texts=2), texts(3, 3, 3), texts(3, 3))
    assert sorted(map(len, engine.batches[1:])) == [1, 2, 2]


def test_a_batch_keeps_to_its_tokens_padding_included(engine):
    run(engine, batcher(engine, tokens=20), texts(6, 6, 6, 7), texts(50))
    assert all(len(batch) <= 2 for batch in engine.batches)
    assert [50] in engine.batches


def test_a_small_request_does_not_wait_for_a_large_one(engine):
    run(engine, batcher(engine, texts=1), texts(*[3] * 20), texts(8))
    assert [8] in engine.batches[1:4]


def test_a_full_queue_refuses(engine):
    made = batcher(engine, queue=3)

    async def ask():
        running = await under_way(made)
        waiting = asyncio.ensure_future(made.logits(texts(2, 2, 2)))
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="3 of at most 3 texts are waiting already") as refused:
            await made.logits(texts(1))
        engine.gate.set()
        await asyncio.gather(running, waiting)
        return refused.value, await made.logits(texts(4))

    refusal, after = asyncio.run(ask())
    made.close()
    assert (refusal.status, refusal.bound, refusal.retry_after) == (503, "queue_texts", 1)
    assert after.tolist() == [[4]]


def test_texts_of_a_cancelled_request_are_not_run(engine):
    made = batcher(engine, texts=1)

    async def ask():
        running = await under_way(made)
        given_up = asyncio.ensure_future(made.logits(texts(7, 7)))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        assert made.waiting == 0
        engine.gate.set()
        await running
        return await made.logits(texts(2))

    assert asyncio.run(ask()).tolist() == [[2]]
    made.close()
    assert [7] not in engine.batches


def test_an_error_reaches_its_requests_and_the_next_are_answered(engine):
    broken, fine = run(engine, batcher(engine, texts=1), [[-1]], texts(6))
    assert isinstance(broken, ValueError)
    assert fine.tolist() == [[6]]


def test_a_batch_that_is_not_full_waits_for_more(engine):
    engine.gate.set()
    made = batcher(engine, texts=2, wait=5.0)

    async def ask():
        first = asyncio.ensure_future(made.logits(texts(4)))
        await asyncio.sleep(0.05)
        return await asyncio.gather(first, made.logits(texts(5)))

    asyncio.run(ask())
    made.close()
    assert sorted(engine.batches[0]) == [4, 5]


def test_every_batch_is_observed(engine):
    made = batcher(engine)
    run(engine, made, texts(5, 2))
    assert made.observer.seen == [(1, 10, 1), (2, 20, 2)]


def test_several_threads_answer_everything(engine):
    engine.gate.set()
    made = batcher(engine, threads=4, texts=3)

    async def ask():
        return await asyncio.gather(*(made.logits(texts(n % 7 + 1)) for n in range(90)))

    answers = asyncio.run(ask())
    made.close()
    assert [each[0, 0] for each in answers] == [n % 7 + 1 for n in range(90)]
