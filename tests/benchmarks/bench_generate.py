"""Generate against the plain way of doing it: `make bench-generate`.

The plain way asks one request at a time for free text and takes the last JSON block. Both ways
use the same server, model, prompts and seed, one after the other in one run.
"""

import argparse
import asyncio
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from components.artifacts.dataset import SPLITS
from components.artifacts.synthetic import write_sentences
from components.artifacts.task import Task, load_task
from components.generate.answers import parse
from components.generate.answers.parse import Candidate
from components.generate.curate import Curator
from components.generate.engines import parse_model, serving
from components.generate.llm import ChatClient, in_order
from components.generate.prompts import Prompts
from components.generate.request import Answer, Request
from components.generate.style import load_style
from components.merge.measures import distinct_n
from components.merge.run import merge
from components.merge.settings import MergeSettings

CONCURRENCY = 4
SIZES = (1_000, 10_000, 100_000)


def requests(prompts: Prompts, count: int) -> list[Request]:
    labels = prompts.task.labels
    turns = -(-count // len(labels))
    return [prompts.request(label, turn) for turn in range(turns) for label in labels][:count]


async def ask_all(client: ChatClient, wanted: list[Request], open_at_once: int) -> list[Answer]:
    async with client:
        return [answer async for answer in in_order(iter(wanted), client.ask, open_at_once)]


def timed(run: Callable[[], list[Answer]]) -> tuple[list[Answer], float]:
    started = time.monotonic()
    answers = run()
    return answers, time.monotonic() - started


def accepted(task: Task, answers: list[Answer], max_characters: int) -> list[tuple[str, str]]:
    curator = Curator(task, max_characters)
    return [
        (candidate.text, answer.request.label)
        for answer in answers
        for candidate in parse.candidates_in(answer.completion.raw)
        if curator.rejection(candidate, answer.request.label, answer.request.attributes) is None
    ]


def compare(model: str, count: int) -> None:
    """Print accepted sentences a second of both ways, and what came of each label."""
    task, style = load_task("emotion"), load_style("plain")
    prompts = Prompts(task, style, seed=0)
    wanted = requests(prompts, count)
    plain = [replace(request, schema={}) for request in wanted]
    print(f"\n{count} requests, {model}\n")
    print("| way | seconds | answers that parse | accepted | accepted / s |")
    print("| --- | --- | --- | --- | --- |")
    server = parse_model(model)
    with TemporaryDirectory() as folder, serving(server, CONCURRENCY, Path(folder)) as endpoint:
        for way, asked, concurrency in [
            ("one at a time, free text", plain, 1),
            (f"{CONCURRENCY} at once, JSON schema", wanted, CONCURRENCY),
        ]:
            client = ChatClient(endpoint, "", concurrency)
            answers, seconds = timed(
                lambda c=client, a=asked, n=concurrency: asyncio.run(ask_all(c, a, 2 * n))
            )
            rows = accepted(task, answers, style.max_characters)
            parsed = sum(bool(parse.candidates_in(answer.completion.raw)) for answer in answers)
            print(
                f"| {way} | {seconds:.1f} | {parsed / len(answers):.0%} | {len(rows)} "
                f"| {len(rows) / seconds:.2f} |"
            )
    by_label(task, answers, rows)


def by_label(task: Task, answers: list[Answer], rows: list[tuple[str, str]]) -> None:
    agreement = agreement_of(rows)
    print("\n| label | candidates | accepted | distinct-2 | label agreement |")
    print("| --- | --- | --- | --- | --- |")
    for name in task.names:
        offered = sum(
            len(parse.candidates_in(answer.completion.raw))
            for answer in answers
            if answer.request.label == name
        )
        texts = [text for text, label in rows if label == name]
        share = agreement.get(name, {}).get("agree_share", 0.0)
        print(f"| {name} | {offered} | {len(texts)} | {distinct_n(texts, 2):.2f} | {share:.0%} |")


def agreement_of(rows: list[tuple[str, str]]) -> dict[str, dict[str, float]]:
    """By label, how often merge's classifier of the embedded sample gives the same label."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        content = [{"text": text, "label": label, "model": "bench"} for text, label in rows]
        write_sentences(content, folder)
        merged = merge(MergeSettings(), [folder], folder / "merged")
    by_label: dict[str, dict[str, float]] = merged.agreement["by_label"]
    return by_label


def stored_candidates(count: int) -> Iterator[str]:
    """Made-up candidates: halves of the sample's sentences, joined by seed."""
    folder = resources.files("components.merge") / "sample"
    lines = [text for name in SPLITS for text in pd.read_csv(str(folder / f"{name}.csv"))["text"]]
    drawn = random.Random(0)
    for _ in range(count):
        first, second = drawn.choice(lines).split(), drawn.choice(lines).split()
        yield " ".join([*first[: len(first) // 2 + 1], *second[len(second) // 2 :]])


def curate(count: int) -> None:
    """Print one line of the curation table: run in a process of its own, for its peak memory."""
    curator = Curator(load_task("emotion"), max_characters=600)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    kept = sum(
        curator.rejection(Candidate(text), "joy") is None for text in stored_candidates(count)
    )
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"| {count} | {kept} | {count / seconds:.0f} | {before / 1024:.0f} | {peak / 1024:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--requests", type=int, default=36)
    parser.add_argument("--curate", type=int, default=0, help="only this many candidates")
    arguments = parser.parse_args()
    if arguments.curate:
        curate(arguments.curate)
        return
    compare(arguments.model, arguments.requests)
    print("\n| candidates | accepted | candidates / s | MB before | MB at the peak |", flush=True)
    print("| --- | --- | --- | --- | --- |", flush=True)
    for size in SIZES:
        command = [sys.executable, "-m", "tests.benchmarks.bench_generate", "--model", "none"]
        subprocess.run([*command, "--curate", str(size)], check=True)


if __name__ == "__main__":
    main()
