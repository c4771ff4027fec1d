"""How merge and evaluate grow with their rows: `make bench-merge`.

Texts are drawn word by word from the embedded sample, as often and as long as there; one in twenty
is an earlier text with one word changed, one in a hundred a copy. A step is a process of its own,
counted from start to end. The search for near duplicates runs alone, on one core. evaluate, of a
model, has the validation and test rows of what was merged, a tenth each.
"""

import argparse
import csv
import random
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from components.artifacts.task import load_task
from components.texts import first_matches
from tests.benchmarks.costs import Cost, run

SIMILARITY = 0.8
NEAR, SAME = 0.05, 0.01
HEAD = (
    "rows",
    "seconds",
    "rows/s",
    "CPU seconds",
    "peak memory",
    "near duplicates found",
    "search, rows/s",
)
HEAD_OF_EVALUATE = ("evaluate, seconds", "peak memory")


def texts(rows: int, seed: int = 0) -> Iterator[str]:
    """Invent texts, some of which (nearly) repeat an earlier one."""
    chosen = random.Random(seed)
    sample = [text.split() for text in pd.read_csv("components/merge/sample/train.csv")["text"]]
    vocabulary = [word for words in sample for word in words]
    earlier: list[list[str]] = []
    for _ in range(rows):
        kind = chosen.random() if earlier else 1.0
        if kind < SAME + NEAR:
            words = list(chosen.choice(earlier))
            if kind >= SAME:
                words[chosen.randrange(len(words))] = chosen.choice(vocabulary)
        else:
            words = chosen.choices(vocabulary, k=len(chosen.choice(sample)))
            earlier.append(words)
        yield " ".join(words)


def write_rows(path: Path, rows: int) -> None:
    """Write a CSV file of labelled texts."""
    names = load_task("emotion").names
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        # The same text has the same label, or merge would take it for a contradiction.
        writer.writerows((text, names[sum(text.encode()) % len(names)]) for text in texts(rows))


def merge(path: Path, folder: Path) -> Cost:
    """Run the merge step over a file, with a report."""
    arguments = ["--output", folder / "merged", "--report", folder / "report.html"]
    return run("components.merge", *arguments, "--set", f"dataset={path}")


def evaluate(model: Path, folder: Path) -> Cost:
    """Run the evaluate step over what was merged."""
    arguments = ["--dataset", folder / "merged", "--output", folder / "evaluation"]
    return run("components.evaluate", "--model", model, *arguments, "--set", "gate=smoke")


def line(rows: int, model: Path | None) -> Iterator[str]:
    """Measure one number of rows."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        write_rows(path, rows)
        cost = merge(path, Path(folder))
        started = time.perf_counter()
        found = first_matches(pd.read_csv(path)["text"], SIMILARITY)
        search = rows / (time.perf_counter() - started)
        yield from (f"{rows:,}", f"{cost.seconds:.1f}", f"{rows / cost.seconds:,.0f}")
        yield from (f"{cost.cpu:.1f}", f"{cost.memory:,.0f} MB")
        yield from (f"{sum(each is not None for each in found):,}", f"{search:,.0f}")
        del found
        if model:
            cost = evaluate(model, Path(folder))
            yield from (f"{cost.seconds:.1f}", f"{cost.memory:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--model", type=Path, help="model folder, for evaluate")
    arguments = parser.parse_args()
    head = (*HEAD, *HEAD_OF_EVALUATE) if arguments.model else HEAD
    for each in (head, ["---"] * len(head)):
        print(f"| {' | '.join(each)} |", flush=True)
    for rows in arguments.rows:
        print(f"| {' | '.join(line(rows, arguments.model))} |", flush=True)


if __name__ == "__main__":
    main()
