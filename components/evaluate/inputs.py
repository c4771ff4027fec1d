"""What evaluate reads: the data set folder of merge and the training history of train."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import parquet

from components.errors import InputError

Point = Mapping[str, float]
"""What was measured at one moment of the training, by name."""

_MERGE_AGAIN = "Give the folder that merge wrote, or merge again"


@dataclass(frozen=True)
class Split:
    """The texts of a split, their label ids, shape (rows,), and where they came from, if known."""

    texts: Sequence[str]
    labels: NDArray[np.int64]
    sources: Sequence[str] = ()


@dataclass(frozen=True)
class Dataset:
    """A merged data set.

    Args:
        labels: Label names in the order of their ids.
        rows: Number of rows by split and source, as `dataset.json` states them.
        train: What the model was trained on.
        validation: What the model was chosen by.
        test: What the model has never seen.
        description: All of `dataset.json`.
    """

    labels: tuple[str, ...]
    rows: Mapping[str, Mapping[str, int]]
    train: Split
    validation: Split
    test: Split
    description: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """What train measured: `train` every few steps, `validation` after every epoch.

    `best_epoch` is the epoch whose weights were kept, `rows_per_second` the speed, 0 if not known.
    """

    train: Sequence[Point]
    validation: Sequence[Point]
    best_epoch: float
    rows_per_second: float = 0.0

    @property
    def best(self) -> Point:
        """What was measured on the validation split at the end of the best epoch."""
        return min(self.validation, key=lambda point: abs(point["epoch"] - self.best_epoch))


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
    return Dataset(labels, content["rows"], train, validation, test, content)


def read_history(path: Path) -> History:
    """Read the `history.json` of a model folder.

    Raises:
        InputError: If it is missing or malformed.
    """
    kinds = {"train": list, "validation": list, "best_epoch": float}
    content = _read_json(path, kinds, "Train the model again")
    if not content["validation"]:
        raise InputError(str(path), "holds no validation scores", "Train the model again")
    speed = content.get("rows_per_second", 0.0)
    return History(content["train"], content["validation"], content["best_epoch"], speed)


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
    sources = table["source"].to_pylist() if "source" in table.column_names else ()
    return Split(texts, labels.astype(np.int64), sources)


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
