"""The merged data set: a folder with one Parquet file per split and `dataset.json`.

merge writes it; train, evaluate and deploy read it. A split has the columns `text`, `label` (id),
`source` (`real` or `synthetic`) and perhaps `weight` and `label_probabilities` (a list with a
number per label id, null for rows that no judge has seen). Only frames need pandas.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import parquet

from components import storage
from components.artifacts.synthetic import LABEL_PROBABILITIES
from components.data_files import read_record
from components.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
REAL, SYNTHETIC = ("real", "synthetic")

_DESCRIPTION = "dataset.json"
_COLUMNS = ("text", "label", "source", "weight", LABEL_PROBABILITIES)
_MERGE_AGAIN = "Give the folder that merge wrote, or merge again"


@dataclass(frozen=True, kw_only=True)
class Description:
    """The content of `dataset.json`.

    Args:
        task: Name of the task.
        labels: Label names in the order of their ids.
        rows: Number of rows by split and source.
        rows_by_label: Number of rows by split and label name.
        removed: Rows removed by reason.
        removed_from_train: Those of them that were valid rows of the train split.
        checks: `value`, `limit` and `passed` of each check of the data.
        models: Synthetic rows by model and split.
        optimistic_validation: True if validation holds synthetic rows like those of train.
        optimistic_validation_reason: Why scores on validation flatter; empty if they do not.
        source: Name and `revision` of the real data set, and its `config` if one was chosen.
        seed: Seed of splits and draws.
        agreement: What a classifier of the real rows says of the synthetic ones.
        sources: `name`, and `sha256` by file or `revision`, of each source that was read.
        sha256: Hash of each file of a split.
    """

    task: str = ""
    labels: tuple[str, ...]
    rows: Mapping[str, Mapping[str, int]]
    rows_by_label: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)
    removed_from_train: Mapping[str, int] = field(default_factory=dict)
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    optimistic_validation: bool = False
    optimistic_validation_reason: str = ""
    source: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    agreement: Mapping[str, Any] = field(default_factory=dict)
    sources: Sequence[Mapping[str, Any]] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """The texts of a split, their label ids, shape (rows,), and their sources, if known."""

    texts: Sequence[str]
    labels: NDArray[np.int64]
    sources: Sequence[str] = ()

    def draw(self, count: int, seed: int = 0) -> list[tuple[str, int]]:
        """Draw at most `count` rows: text and label id; equal seeds draw equal rows."""
        rows = range(len(self.texts))
        places = random.Random(seed).sample(rows, min(count, len(rows)))  # noqa: S311
        return [(self.texts[place], int(self.labels[place])) for place in places]


@dataclass(frozen=True)
class Dataset:
    """A merged data set.

    Args:
        description: What merge knows of it.
        train: What the model was trained on.
        validation: What the model was chosen by.
        test: What the model has never seen.
    """

    description: Description
    train: Split
    validation: Split
    test: Split

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names in the order of their ids."""
        return self.description.labels


def require_place(folder: Path) -> None:
    """Refuse a folder for a data set that holds something else.

    Raises:
        InputError: If it is neither new nor empty nor an earlier data set.
    """
    storage.require_replaceable(folder, _DESCRIPTION)


def write_dataset(
    splits: Mapping[str, "pd.DataFrame"], description: Description, folder: Path
) -> Description:
    """Write a data set, so that the folder is complete or not there.

    Args:
        splits: Rows of each split; columns other than those of a data set are left out.
        description: Written with the hashes of the files.
        folder: Where it goes.

    Returns:
        The description as it was written.
    """
    with storage.staged(folder) as draft:
        draft.mkdir()
        for name in SPLITS:
            columns = [each for each in _COLUMNS if each in splits[name]]
            splits[name][columns].to_parquet(split_file(draft, name), index=False)
        files = [split_file(draft, name) for name in SPLITS]
        complete = replace(description, sha256={each.name: storage.sha256(each) for each in files})
        text = json.dumps(asdict(complete), indent=2) + "\n"
        (draft / _DESCRIPTION).write_text(text, encoding="utf-8")
    return complete


def read_dataset(folder: Path, labels: Sequence[str]) -> Dataset:
    """Read all splits, without pandas.

    Args:
        folder: What `write_dataset` wrote.
        labels: Names of the labels that it must have.

    Raises:
        InputError: If a file or column is missing, a split is empty, a row is malformed, the
            labels are others, or the train split has a single label.
    """
    splits = {name: read_split(folder, name, labels) for name in SPLITS}
    if len(np.unique(splits[TRAIN].labels)) < 2:
        fix = "Merge again with rows of every label"
        raise InputError(str(split_file(folder, TRAIN)), "has rows of one label only", fix)
    return Dataset(read_description(folder), splits[TRAIN], splits[VALIDATION], splits[TEST])


def read_split(folder: Path, split: str, labels: Sequence[str]) -> Split:
    """Read one split, without pandas; takes and refuses what `read_dataset` does."""
    table = _read_table(folder, split, labels)
    sources = table["source"].to_pylist() if "source" in table.column_names else ()
    return Split(table["text"].to_pylist(), table["label"].to_numpy().astype(np.int64), sources)


def read_frame(folder: Path, split: str, labels: Sequence[str]) -> "pd.DataFrame":
    """Read one split as a frame with all its columns; takes and refuses what `read_dataset` does.

    Returns:
        Columns `text`, `label` (id) and perhaps `source`, `weight` and `label_probabilities`.
    """
    frame: pd.DataFrame = _read_table(folder, split, labels).to_pandas(use_threads=False)
    return frame


def read_description(folder: Path) -> Description:
    """Read what merge says of a data set.

    Raises:
        InputError: If `dataset.json` is missing or malformed.
    """
    required = {"labels": list, "rows": dict}
    read = read_record(Description, folder / _DESCRIPTION, required, _MERGE_AGAIN)
    return replace(read, labels=tuple(read.labels))


def dataset_sha256(folder: Path) -> str:
    """The hash that identifies a data set: of its description, which holds those of the splits."""
    return storage.sha256(folder / _DESCRIPTION)


def split_file(folder: Path, split: str) -> Path:
    """The Parquet file of a split."""
    return folder / f"{split}.parquet"


def _require_labels(folder: Path, labels: Sequence[str]) -> None:
    found = read_description(folder).labels
    if found != tuple(labels):
        given = ", ".join(map(str, found))
        rule = f"has the labels {given}, but the task has {', '.join(labels)}"
        fix = "Set task to the one that it was merged for, or merge again with this task"
        raise InputError(f"data set {folder}", rule, fix)


def _read_table(folder: Path, split: str, labels: Sequence[str]) -> pyarrow.Table:
    _require_labels(folder, labels)
    path = split_file(folder, split)
    if not path.is_file():
        raise InputError(str(path), "there is no such file", _MERGE_AGAIN)
    try:
        # Arrow's reader threads can abort the interpreter while it exits: apache/arrow#34314.
        table = parquet.read_table(path, use_threads=False)
    except pyarrow.ArrowInvalid as error:
        raise InputError(str(path), "is not a Parquet file", _MERGE_AGAIN) from error
    if missing := {"text", "label"} - set(table.column_names):
        raise InputError(str(path), f"has no column {', '.join(sorted(missing))}", _MERGE_AGAIN)
    if not table.num_rows:
        raise InputError(str(path), "has no rows", "Merge again with more real rows")
    _require_valid(table, path, len(labels))
    return table


def _require_valid(table: pyarrow.Table, path: Path, label_count: int) -> None:
    texts, labels = table["text"], table["label"]
    if texts.null_count or texts.type not in (pyarrow.string(), pyarrow.large_string()):
        raise InputError(f"{path}, column text", "must hold a text in every row", _MERGE_AGAIN)
    are_whole = not labels.null_count and pyarrow.types.is_integer(labels.type)
    if not are_whole or not set(labels.unique().to_pylist()) <= set(range(label_count)):
        rule = f"must hold a whole number from 0 to {label_count - 1} in every row"
        raise InputError(f"{path}, column label", rule, _MERGE_AGAIN)
