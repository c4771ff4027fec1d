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

from components import storage
from components.artifacts.synthetic import LABEL_PROBABILITIES
from components.errors import InputError
from components.train.distillation.variants import varied
from components.train.loop.data import tokenise
from components.train.loop.trainer import this_process
from components.train.methods.adapters import uses_bfloat16
from components.train.settings import TrainSettings

_log = logging.getLogger(__name__)
_TEXTS_AT_A_TIME = 64
_PROGRESS_SECONDS = 5.0


def texts_of(labelled: Sequence[str], settings: TrainSettings) -> list[str]:
    """Collect the texts of a student's training: those with labels, those without, and variants.

    Args:
        labelled: Texts of the train rows.
        settings: `unlabelled_texts` names more, and `student_variants` says how many are made.

    Raises:
        InputError: If the file of unlabelled texts cannot be read, or holds none.
    """
    texts = [*labelled, *_unlabelled(settings.unlabelled_texts)]
    return [*texts, *varied(texts, settings.student_variants, settings.seed)]


def _unlabelled(location: str) -> list[str]:
    if not location:
        return []
    texts = [line for line in storage.read_text(location).splitlines() if line.strip()]
    if not texts:
        thing, fix = f"unlabelled_texts={location!r}", "Give a file with a text per line"
        raise InputError(thing, "holds no text", fix)
    return texts


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
