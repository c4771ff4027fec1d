"""Tokenised rows, and the order in which training sees them."""

import hashlib
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import torch
from datasets import Dataset
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices

from components import storage
from components.artifacts.model.classifier import cutting
from components.artifacts.synthetic import LABEL_PROBABILITIES
from components.train.settings import TrainSettings

_MOST_SORTED = 64
"""Batches whose rows are drawn at random and sorted by length: few keep the order random, and many
waste less on padding, 3 % with these."""


def tokenise(rows: pd.DataFrame, tokenizer: Any, settings: TrainSettings, cache: Path) -> Dataset:
    """Tokenise rows; padding is left to the batches.

    Args:
        rows: Columns `text`, `label` (id) and perhaps `weight` and `label_probabilities`.
        tokenizer: The encoder's tokenizer.
        settings: `max_length`, to which texts are cut, and `soft_label_share`.
        cache: Arrow file for the result, named after everything that affects it. Processes of
            one node share its memory, and a resumed run reuses it.

    Returns:
        Columns `input_ids`, `attention_mask`, `labels` (a label id), `length` (tokens) and, if
        the rows have weights, `weight` (in the loss, 1 on average); with soft labels `target`, a
        probability per label.
    """
    if not cache.exists():
        table = pyarrow.table(_columns(rows, tokenizer, settings))
        with (
            storage.staged(cache) as draft,
            pyarrow.OSFile(str(draft), "wb") as file,
            pyarrow.ipc.new_stream(file, table.schema) as stream,
        ):
            stream.write_table(table)
    return Dataset.from_file(str(cache))


def tokens_sha256(tokenizer: Any, settings: TrainSettings) -> str:
    """Hash all that decides which tokens a text becomes: the tokenizer, and how it cuts."""
    return hashlib.sha256(_reader(tokenizer, settings).to_str().encode()).hexdigest()


def _reader(tokenizer: Any, settings: TrainSettings) -> Tokenizer:
    """The tokenizer as the predictor has it, whatever transformers keeps beside its file."""
    own = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    return cutting(own, settings.max_length)


def _columns(rows: pd.DataFrame, tokenizer: Any, settings: TrainSettings) -> dict[str, list[Any]]:
    encoded = _reader(tokenizer, settings).encode_batch(list(rows["text"]))
    columns = {
        "input_ids": [each.ids for each in encoded],
        "attention_mask": [each.attention_mask for each in encoded],
        "labels": rows["label"].tolist(),
        "length": [len(each.ids) for each in encoded],
    }
    if "weight" in rows:
        columns["weight"] = (rows["weight"] / rows["weight"].mean()).tolist()
    is_judged = LABEL_PROBABILITIES in rows and bool(rows[LABEL_PROBABILITIES].notna().any())
    if settings.soft_label_share and is_judged:
        columns["target"] = _targets(rows, settings.soft_label_share).tolist()
    return columns


def _targets(rows: pd.DataFrame, share: float) -> NDArray[np.float64]:
    """The label of each row, mixed with what a judge sees where one has seen it."""
    told = rows[LABEL_PROBABILITIES]
    judged = told.notna().to_numpy()
    chances = np.stack(told[judged].to_list())
    targets = np.eye(chances.shape[1])[rows["label"]]
    targets[judged] = (1 - share) * targets[judged] + share * chances
    return targets


class LengthGroups(Sampler[int]):
    """Draws every row once per epoch, in batches of similar length and in random order.

    The order depends only on seed and epoch, so a resumed run sees the batches of an uninterrupted
    one, and any number of processes shares the same global batches.

    Args:
        lengths: Tokens of each row.
        batch_size: Rows per optimiser step, over all processes and accumulated passes.
        shares: Processes times accumulated passes. With several shares the first rows of the epoch
            fill a short last batch, which could not be shared evenly.
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
        sorted_together = min(len(self._lengths) // (4 * self._batch_size), _MOST_SORTED) or 1
        rows: list[int] = get_length_grouped_indices(  # type: ignore[no-untyped-call]
            self._lengths, self._batch_size, sorted_together, generator
        )
        batches = [
            rows[start : start + self._batch_size]
            for start in range(0, len(rows), self._batch_size)
        ]
        # The short batch stays last: the data loader cuts by position.
        whole = len(rows) // self._batch_size
        order = [*torch.randperm(whole, generator=generator).tolist(), *range(whole, len(batches))]
        return islice(cycle([row for index in order for row in batches[index]]), self._size)
