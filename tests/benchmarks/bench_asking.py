"""What generate takes for a request, beside an LLM that answers at once: `make bench-asking`.

The LLM is a stub in a process of its own, with answers that are curated as any others. Two runs of
different lengths are compared, since a run also learns its checks before the first request.
"""

import argparse
import itertools
import json
import logging
import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from components.generate.run import generate
from components.generate.settings import GenerateSettings
from tests.fakes.openai_server import Reply, fake_openai

SHORT, LONG = 40, 400
"""Sentences of each label."""


class Run(NamedTuple):
    """What a run has taken."""

    requests: int
    seconds: float
    cpu: float


def answer(number: int) -> Reply:
    """Three sentences that no other answer has."""
    texts = [
        f"On evening {number} the whole street came out to look at the river.",
        f"Somebody left basket {number} of ripe plums in front of the library door.",
        f"We counted {number} steps to the top, and nobody wanted to go down again.",
    ]
    return Reply(json.dumps(texts))


def serve(pipe: Connection) -> None:
    """Run the stub until the other end says a word, and tell how many requests came each time."""
    numbers = itertools.count()
    with fake_openai(lambda _: answer(next(numbers))) as fake:
        pipe.send(fake.base_url)
        while pipe.recv():
            pipe.send(len(fake.received))


def measured(url: str, pipe: Connection, workers: int, samples: int) -> Run:
    """Run generate, and count what it asked for."""
    settings = GenerateSettings(
        models=[f"{url}#stub"],
        samples_per_label=samples,
        llm_concurrency=workers,
        near_duplicate_similarity=1.0,
    )
    pipe.send(True)
    before = pipe.recv()
    with TemporaryDirectory() as folder:
        started, cpu = time.perf_counter(), time.process_time()
        generate(settings, Path(folder) / "synthetic")
        seconds, used = time.perf_counter() - started, time.process_time() - cpu
    pipe.send(True)
    return Run(pipe.recv() - before, seconds, used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    url = ours.recv()
    print("| workers | requests/s | core time of a request, ms: least, median, greatest |")
    print("| --- | --- | --- |")
    for workers in arguments.workers:
        speeds, costs = [], []
        for _ in range(arguments.times):
            short, long = (measured(url, ours, workers, each) for each in (SHORT, LONG))
            more = long.requests - short.requests
            speeds.append(more / (long.seconds - short.seconds))
            costs.append(1000 * (long.cpu - short.cpu) / more)
        speeds.sort()
        costs.sort()
        middle = arguments.times // 2
        cells = " / ".join(f"{each:.2f}" for each in (costs[0], costs[middle], costs[-1]))
        print(f"| {workers} | {speeds[middle]:.0f} | {cells} |", flush=True)
    ours.send(False)
    process.join()


if __name__ == "__main__":
    main()
