"""predict against a bare loop over the same texts, and its memory: `make bench-predict`.

The bare loop reads all texts, tokenises them, and runs the same batches on as many threads. Both
are processes of their own, counted from start to end, and take turns, so that a busy machine is
busy for both.
The texts are those of the embedded sample, each with a number of its own, so that none repeats.
"""

import argparse
import csv
import statistics
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from loky import cpu_count

from components.artifacts.model.classifier import Classifier
from tests.benchmarks.costs import run

_HEAD = (
    "rows",
    "predict, rows/s",
    "loop, rows/s",
    "ratio",
    "ratio of CPU time",
    "predict, memory",
    "loop, memory",
)
_SAMPLE = "components/merge/sample/train.csv"


def write_rows(path: Path, rows: int) -> None:
    """Write a CSV file of so many rows."""
    texts = list(pd.read_csv(_SAMPLE)["text"])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows(
            (row, f"{texts[row % len(texts)]} {row // len(texts) or ''}") for row in range(rows)
        )


def bare_loop(model: Path, path: Path) -> None:
    """Classify all texts of a file, and do nothing with the result."""
    texts = pd.read_csv(path)["text"].tolist()
    classifier = Classifier(model, 1)
    tokens = classifier.encode(texts)

    def infer(batch: list[int]) -> None:
        classifier.infer([tokens[row] for row in batch])

    batches = classifier.batches(tokens)
    with ThreadPoolExecutor(cpu_count()) as pool:
        # A future for each of them at once would be measured as well.
        while some := list(islice(batches, 1024)):
            list(pool.map(infer, some))


def measured(model: Path, rows: int, times: int) -> tuple[str, ...]:
    """A line of the table: the medians of pairs of runs, and the most memory."""
    ours, bare = [], []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        write_rows(path, rows)
        for time_ in range(times):
            bare.append(run("tests.benchmarks.bench_predict", "--model", model, "--loop", path))
            places = ["--input", path, "--output", Path(folder) / f"labelled-{time_}"]
            ours.append(run("components.predict", *places, "--model", model))
    pairs = list(zip(ours, bare, strict=True))
    return (
        f"{rows:,}",
        f"{rows / statistics.median(each.seconds for each in ours):,.0f}",
        f"{rows / statistics.median(each.seconds for each in bare):,.0f}",
        f"{statistics.median(loop.seconds / mine.seconds for mine, loop in pairs):.2f}",
        f"{statistics.median(loop.cpu / mine.cpu for mine, loop in pairs):.2f}",
        f"{max(each.memory for each in ours):,.0f} MB",
        f"{max(each.memory for each in bare):,.0f} MB",
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_predict")
    parser.description = __doc__
    parser.add_argument("--model", type=Path, required=True, help="model folder as train writes it")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    parser.add_argument("--times", type=int, default=1, help="pairs of runs; medians are shown")
    parser.add_argument("--loop", type=Path, help="run the bare loop alone, over a file")
    arguments = parser.parse_args()
    if arguments.loop:
        bare_loop(arguments.model, arguments.loop)
    else:
        for line in (_HEAD, ["---"] * len(_HEAD)):
            print(f"| {' | '.join(line)} |", flush=True)
        for rows in arguments.rows:
            cells = measured(arguments.model, rows, arguments.times)
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
