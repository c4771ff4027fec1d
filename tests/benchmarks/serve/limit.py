"""What the machine can do with this model: a bare ONNX Runtime loop with no server.

`python -m tests.benchmarks.serve.limit --model DIR --precision int8 --threads 2 < texts.json`,
in a process of its own like a server. Tokenising is part of it.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from components.artifacts.model import bundle
from components.artifacts.model.classifier import inference_session

BATCH = 16
ONE_BY_ONE = "one text at a time, side by side"
BATCHES = "sorted batches, one after the other"
BATCHES_ASIDE = "sorted batches, side by side"


def rates(
    folder: Path, precision: str, texts: Sequence[str], threads: int, seconds: float
) -> dict[str, float]:
    """Texts a second by way of running them, length-sorted over all texts."""
    description = bundle.read_labels(folder)
    tokenizer = Tokenizer.from_file(str(folder / bundle.TOKENIZER))
    tokenizer.enable_truncation(max_length=description.max_length)
    tokenizer.enable_padding(pad_id=description.pad_id)
    by_length = sorted(texts, key=lambda text: len(tokenizer.encode(text).ids))

    def runner(threads_a_run: int) -> Callable[[Sequence[str]], int]:
        session = inference_session(folder / bundle.ONNX[precision], threads_a_run)
        return lambda batch: _classify(tokenizer, session, batch)

    ways = {
        ONE_BY_ONE: (runner(1), 1, threads),
        BATCHES: (runner(threads), BATCH, 1),
        BATCHES_ASIDE: (runner(1), BATCH, threads),
    }
    return {
        way: _rate(run, batches(by_length, size), side_by_side, seconds)
        for way, (run, size, side_by_side) in ways.items()
    }


def batches(texts: Sequence[str], size: int) -> list[Sequence[str]]:
    """Neighbouring texts in groups of a size; the last may be smaller."""
    return [texts[start : start + size] for start in range(0, len(texts), size)]


def _classify(tokenizer: Tokenizer, session: Any, batch: Sequence[str]) -> int:
    encodings = tokenizer.encode_batch(list(batch))
    session.run(
        ["logits"],
        {
            "input_ids": np.array([each.ids for each in encodings]),
            "attention_mask": np.array([each.attention_mask for each in encodings]),
        },
    )
    return len(batch)


def _rate(
    run: Callable[[Sequence[str]], int],
    work: Sequence[Sequence[str]],
    side_by_side: int,
    seconds: float,
) -> float:
    """Whole rounds over all texts, so that long and short ones have their share."""
    with ThreadPoolExecutor(side_by_side) as pool:
        list(pool.map(run, work[:: max(1, len(work) // 10)]))
        count, started = 0, time.perf_counter()
        while not count or time.perf_counter() - started < seconds:
            count += sum(pool.map(run, work))
        return count / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--precision", choices=sorted(bundle.ONNX), required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    found = rates(
        arguments.model,
        arguments.precision,
        json.load(sys.stdin),
        arguments.threads,
        arguments.seconds,
    )
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
