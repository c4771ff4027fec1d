"""What evaluate reads: the data set folder of merge and the training history of train."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import parquet

from components.checks import InputError

_MERGE_AGAIN = "Give the folder that merge wrote, or merge again"


@dataclass(frozen=True)
class Split:
    """The texts of a split and their label ids, shape (rows,)."""

    texts: Sequence[str]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Dataset:
    """A merged data set.

    Args:
        labels: Label names in the order of their ids.
        rows: Number of rows by split and source, as `dataset.json` states them.
        train: What the model was trained on.
        validation: What the model was chosen by.
        test: What the model has never seen.
    """

    labels: tuple[str, ...]
    rows: Mapping[str, Mapping[str, int]]
    train: Split
    validation: Split
    test: Split


@dataclass(frozen=True)
class History:
    """What train measured: `train` every few steps, `validation` after every epoch."""

    train: Sequence[Mapping[str, float]]
    validation: Sequence[Mapping[str, float]]


def read_dataset(folder: Path) -> Dataset:
    """Read the data set folder that merge writes.

    Raises:
        InputError: If a file or column is missing, a split is empty, a row is malformed or
            the train split has a single label.
    """
    content = _read_json(folder / "dataset.json", {"labels": list, "rows": dict}, _MERGE_AGAIN)
    labels = tuple(content["labels"])
    train, validation, test = (
        _read_split(folder / f"{name}.parquet", len(labels))
        for name in ("train", "validation", "test")
    )
    if len(np.unique(train.labels)) < 2:
        fix = "Merge again with rows of every label"
        raise InputError(str(folder / "train.parquet"), "has rows of one label only", fix)
    return Dataset(labels, content["rows"], train, validation, test)


def read_history(path: Path) -> History:
    """Read the `history.json` of a model folder.

    Raises:
        InputError: If it is missing or malformed.
    """
    content = _read_json(path, {"train": list, "validation": list}, "Train the model again")
    return History(content["train"], content["validation"])


def _read_split(path: Path, label_count: int) -> Split:
    table = _read_table(path)
    texts: list[str] = table["text"].to_pylist()
    if not texts:
        raise InputError(str(path), "has no rows", "Merge again with more real rows")
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"{path}, column text", "must hold a text in every row", _MERGE_AGAIN)
    labels = table["label"].to_numpy()
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= label_count:
        rule = f"must hold a whole number from 0 to {label_count - 1} in every row"
        raise InputError(f"{path}, column label", rule, _MERGE_AGAIN)
    return Split(texts, labels.astype(np.int64))


def _read_table(path: Path) -> pyarrow.Table:
    if not path.is_file():
        raise InputError(str(path), "there is no such file", _MERGE_AGAIN)
    try:
        # Arrow's reader threads can abort the interpreter while it exits: apache/arrow#34314.
        table = parquet.read_table(path, use_threads=False)
    except pyarrow.ArrowInvalid as error:
        raise InputError(str(path), "is not a Parquet file", _MERGE_AGAIN) from error
    if missing := {"text", "label"} - set(table.column_names):
        raise InputError(str(path), f"has no column {', '.join(sorted(missing))}", _MERGE_AGAIN)
    return table


def _read_json(path: Path, kinds: Mapping[str, type], fix: str) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(str(path), "there is no such file", fix) from error
    except ValueError as error:
        raise InputError(str(path), "is not a JSON file", fix) from error
    fields: Mapping[str, Any] = content if isinstance(content, dict) else {}
    for key, kind in kinds.items():
        if not isinstance(fields.get(key), kind):
            raise InputError(str(path), f"must hold a {kind.__name__} under {key!r}", fix)
    return fields
