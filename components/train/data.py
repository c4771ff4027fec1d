"""Tokenised rows for the trainer."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from components.checks import InputError
from components.task import Task

Rows = Sequence[dict[str, Any]]
"""Tokenised rows: `input_ids`, `attention_mask` and `labels` (a label id) of each text, and its
`weight` in the loss if the data set has weights."""


def read_split(dataset: Path, split: str, task: Task) -> pd.DataFrame:
    """Read one split of a merged data set, columns `text`, `label` (id) and perhaps `weight`.

    Raises:
        InputError: If the split is missing or empty, or was made for other labels.
    """
    path = dataset / f"{split}.parquet"
    if not path.is_file():
        raise InputError(str(path), "is missing", "Run the merge step first")
    labels = json.loads((dataset / "dataset.json").read_text(encoding="utf-8"))["labels"]
    if tuple(labels) != task.names:
        rule = f"has the labels {labels}, but the task has {list(task.names)}"
        raise InputError(str(dataset), rule, "Merge it again with this task")
    rows = pd.read_parquet(path)
    if rows.empty:
        raise InputError(str(path), "has no rows", "Give a larger data set")
    return rows


def tokenise(rows: pd.DataFrame, tokenizer: Any, max_length: int) -> Rows:
    """Cut every text to `max_length` tokens; padding is left to the batches."""
    encoded = tokenizer(list(rows["text"]), truncation=True, max_length=max_length)
    columns = {
        "input_ids": encoded["input_ids"],
        "attention_mask": encoded["attention_mask"],
        "labels": rows["label"].tolist(),
    }
    if "weight" in rows:
        columns["weight"] = rows["weight"].tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
