"""What a student learns from: texts, and what its teacher sees in them."""

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from transformers import DataCollatorWithPadding

from components.artifacts.synthetic import LABEL_PROBABILITIES
from components.train.loop.data import tokenise
from components.train.loop.trainer import this_process
from components.train.methods.adapters import uses_bfloat16
from components.train.settings import TrainSettings

_log = logging.getLogger(__name__)
_TEXTS_AT_A_TIME = 64
_PROGRESS_SECONDS = 5.0


def lessons(
    teacher: Any, texts: Sequence[str], tokenizer: Any, settings: TrainSettings, cache: Path
) -> Dataset:
    """Have a teacher label texts; its probabilities are the targets.

    Args:
        teacher: The trained classifier; it ends up on the device that trains.
        texts: What it labels.
        tokenizer: Its tokenizer.
        settings: Those of the student: the precision, the length of texts, and a
            `soft_label_share` of 1.
        cache: Arrow file for the result, as in `tokenise`.

    Returns:
        Rows as `tokenise` gives them, with a `target` each.
    """
    rows = pd.DataFrame({"text": texts, "label": 0})
    if not cache.exists():
        with TemporaryDirectory() as scratch:
            tokens = tokenise(rows, tokenizer, settings, Path(scratch) / "tokens.arrow")
            said = probabilities(teacher, tokens, tokenizer, settings)
        rows["label"] = said.argmax(axis=1)
        rows[LABEL_PROBABILITIES] = list(said)
    return tokenise(rows, tokenizer, settings, cache)


def probabilities(
    classifier: Any, tokens: Dataset, tokenizer: Any, settings: TrainSettings
) -> NDArray[np.float32]:
    """Compute probabilities in the precision of training: shape (rows, labels)."""
    device = this_process().device
    classifier.to(device).eval()
    order = np.argsort(tokens["length"], kind="stable")
    inputs = tokens.select_columns(["input_ids", "attention_mask"]).select(order)
    batches = DataLoader(inputs, _TEXTS_AT_A_TIME, collate_fn=DataCollatorWithPadding(tokenizer))
    found = []
    with (
        torch.inference_mode(),
        torch.autocast(device.type, torch.bfloat16, enabled=uses_bfloat16(settings)),
    ):
        for batch in _reported(batches):
            logits = classifier(**batch.to(device)).logits
            found.append(logits.float().softmax(dim=1).cpu().numpy())
    said = np.empty((len(inputs), found[0].shape[1]), dtype=np.float32)
    said[order] = np.concatenate(found)
    return said


def _reported(batches: DataLoader[Any]) -> Iterator[Any]:
    """Go through batches of texts, and log every few seconds how many are done."""
    reported, count = time.monotonic(), len(batches)
    for done, batch in enumerate(batches):
        yield batch
        if time.monotonic() - reported >= _PROGRESS_SECONDS:
            reported = time.monotonic()
            progress = {"progress": (done + 1, count)}
            share = 100 * (done + 1) / count
            _log.info("train: the teacher has labelled %.0f%% of the texts", share, extra=progress)
