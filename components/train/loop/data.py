"""Tokenised rows for the trainer, and the order in which it sees them."""

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import torch
from datasets import Dataset
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices

from components import storage


def tokenise(rows: pd.DataFrame, tokenizer: Any, max_length: int, cache: Path) -> Dataset:
    """Cut every text to `max_length` tokens; padding is left to the batches.

    Args:
        rows: Columns `text`, `label` (id) and perhaps `weight`.
        tokenizer: The encoder's tokenizer.
        max_length: Tokens a text is cut to.
        cache: Arrow file to keep the result in, named after all that decides it. Processes of
            one node share it in memory, and a resumed run finds it there.

    Returns:
        Columns `input_ids`, `attention_mask`, `labels` (a label id), `length` (tokens) and, if
        the rows have weights, `weight` (in the loss, 1 on average).
    """
    if not cache.exists():
        table = pyarrow.table(_columns(rows, tokenizer, max_length))
        with (
            storage.staged(cache) as draft,
            pyarrow.OSFile(str(draft), "wb") as file,
            pyarrow.ipc.new_stream(file, table.schema) as stream,
        ):
            stream.write_table(table)
    return Dataset.from_file(str(cache))


def _columns(rows: pd.DataFrame, tokenizer: Any, max_length: int) -> dict[str, list[Any]]:
    encoded = tokenizer(list(rows["text"]), truncation=True, max_length=max_length)
    columns = {
        "input_ids": encoded["input_ids"],
        "attention_mask": encoded["attention_mask"],
        "labels": rows["label"].tolist(),
        "length": [len(ids) for ids in encoded["input_ids"]],
    }
    if "weight" in rows:
        columns["weight"] = (rows["weight"] / rows["weight"].mean()).tolist()
    return columns


class LengthGroups(Sampler[int]):
    """Every row once an epoch, in batches of like length, the batches in random order.

    The order depends on seed and epoch alone, so a resumed run sees what an uninterrupted one
    would have seen, and any number of processes shares the same global batches.

    Args:
        lengths: Tokens of each row.
        batch_size: Rows an optimiser step, over all processes and accumulated passes.
        shares: Processes times accumulated passes. If there are several, a short last batch is
            filled up with the first rows of the epoch, since it could not be shared evenly.
        seed: Seed of the order.
    """

    def __init__(self, lengths: list[int], batch_size: int, shares: int, seed: int) -> None:
        self._lengths, self._batch_size, self._seed = lengths, batch_size, seed
        self._size = len(lengths) if shares == 1 else -(-len(lengths) // batch_size) * batch_size
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch; the data loader calls it."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self._epoch)
        rows: list[int] = get_length_grouped_indices(  # type: ignore[no-untyped-call]
            self._lengths, self._batch_size, generator=generator
        )
        batches = [
            rows[start : start + self._batch_size]
            for start in range(0, len(rows), self._batch_size)
        ]
        # The short batch stays last: the data loader cuts by position.
        whole = len(rows) // self._batch_size
        order = [*torch.randperm(whole, generator=generator).tolist(), *range(whole, len(batches))]
        return islice(cycle([row for index in order for row in batches[index]]), self._size)
