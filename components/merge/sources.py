"""Readers of labelled rows: the embedded sample, files, folders, object storage, the hub."""

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from components import storage
from components.artifacts.dataset import REAL, SPLITS, SYNTHETIC, TRAIN, VALIDATION
from components.artifacts.synthetic import LABEL_PROBABILITIES, SENTENCES, read_sentences
from components.errors import InputError
from components.merge.settings import MergeSettings

WHOLE = "all"

Tables = Mapping[str, pd.DataFrame]
"""Raw rows by split name, or one table under `WHOLE`; column `place` names each row's origin."""

_SPLIT_NAMES = {
    **{name: name for name in SPLITS},
    "training": TRAIN,
    "valid": VALIDATION,
    "val": VALIDATION,
    "dev": VALIDATION,
}


def locate(settings: MergeSettings, downloads: Path) -> Path | None:
    """Find the file or folder of the data set that the settings name; None if it is on the hub.

    Raises:
        InputError: If it is missing, is on the hub and not pinned, or differs from its pin.
    """
    if settings.dataset == "sample":
        return storage.fetch("package:components.merge/sample", downloads)
    if settings.is_on_hub:
        settings.require_pinned()
        return None
    return storage.fetch(settings.dataset + settings.pin, downloads)


def read_tables(settings: MergeSettings, path: Path | None) -> Tables:
    """Read the real rows of the data set.

    Args:
        settings: Name and columns of the data set.
        path: The result of `locate`.

    Raises:
        InputError: If the source cannot be read or lacks a column; it names the file and place.
    """
    if path is None:
        tables = _read_hub(settings.dataset, settings.dataset_revision, settings.label_column)
    else:
        tables = _read_files(path)
    return {name: _as_rows(frame, name, settings) for name, frame in tables.items()}


def read_synthetic(folder: Path, number: int) -> pd.DataFrame:
    """Read the rows that generate wrote into a folder.

    Args:
        folder: Holds `synthetic_emotions.json`.
        number: Tells several sources apart, from 1.

    Returns:
        Columns `text`, `label`, `place`, `source`, `origin` and `model`, and
        `label_probabilities` if a judge has seen a row.

    Raises:
        InputError: If the file is missing, cannot be read or lacks a column.
    """
    name = f"{SYNTHETIC}_{number}"
    # A branch may have given nothing (`allow_partial`).
    sentences = pd.DataFrame(read_sentences(folder) or {"text": [], "label": []})
    frame = _placed(sentences, f"{name}, {SENTENCES}")
    if "model" not in frame:
        frame["model"] = name
    rows = _columns(frame, "text", "label", f"synthetic rows of {folder}")
    if LABEL_PROBABILITIES in frame:
        rows[LABEL_PROBABILITIES] = frame[LABEL_PROBABILITIES]
    return rows.assign(model=frame["model"].fillna(name), source=SYNTHETIC, origin=name)


def fingerprint(path: Path) -> dict[str, str]:
    """Compute the sha256 of each file that rows are read from, by name."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    return {each.name: storage.sha256(each) for each in files if each.suffix.lower() in _READERS}


def read_file(path: Path) -> pd.DataFrame:
    """Read one CSV, JSON lines, JSON or Parquet file; adds the column `place`.

    Raises:
        InputError: If the file is not of the kind that its name says.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        allowed = ", ".join(_READERS)
        raise InputError(str(path), "is of a kind that cannot be read", f"Use one of: {allowed}")
    try:
        frame = reader(path)
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}, line {line}", f"is not UTF-8 ({error.reason})", "Save it as UTF-8"
        ) from error
    except (ValueError, OSError) as error:
        rule = f"is not readable as {path.suffix}: {error}"
        raise InputError(str(path), rule, "Correct the file or its name") from error
    return _placed(frame, path.name)


def _placed(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    return frame.assign(place=[f"{where}, row {row}" for row in range(1, len(frame) + 1)])


def _read_files(path: Path) -> Tables:
    if path.is_file():
        return {WHOLE: read_file(path)}
    files = sorted(each for each in path.iterdir() if each.suffix.lower() in _READERS)
    splits = {file: _SPLIT_NAMES.get(file.stem.split("-")[0].lower()) for file in files}
    if files and not any(splits.values()):
        return {WHOLE: pd.concat([read_file(file) for file in files], ignore_index=True)}
    tables = {
        name: pd.concat([read_file(f) for f in files if splits[f] == name], ignore_index=True)
        for name in SPLITS
        if name in splits.values()
    }
    if TRAIN not in tables:
        rule = "has neither a train file nor a single table"
        fix = "Add train.csv (or .jsonl, .parquet), and optionally validation and test files"
        raise InputError(str(path), rule, fix)
    return tables


def _as_rows(frame: pd.DataFrame, name: str, settings: MergeSettings) -> pd.DataFrame:
    where = f"{settings.dataset}, {name}"
    rows = _columns(frame, settings.text_column, settings.label_column, where)
    labels = [settings.label_map.get(str(each).strip(), each) for each in rows["label"]]
    return rows.assign(
        label=pd.Series(labels, index=rows.index, dtype=object), model="", source=REAL, origin=name
    )


def _columns(frame: pd.DataFrame, text: str, label: str, where: str) -> pd.DataFrame:
    if missing := {text, label} - set(frame.columns):
        rule = f"lacks the column {', '.join(sorted(missing))} (it has {list(frame.columns)})"
        raise InputError(where, rule, "Name its columns with text_column and label_column")
    return pd.DataFrame(
        {"text": frame[text], "label": frame[label].astype(object), "place": frame["place"]}
    )


def _read_hub(name: str, revision: str, label_column: str) -> Tables:
    import datasets

    try:
        loaded = datasets.load_dataset(name, revision=revision)
    except (OSError, ValueError) as error:
        rule = f"cannot be read from the hub ({type(error).__name__}), and is not a path here"
        fix = "Check the name, the revision and the network, or give a folder"
        raise InputError(f"dataset {name}", rule, fix) from error
    return {
        _SPLIT_NAMES[split]: _hub_frame(rows, label_column)
        for split, rows in loaded.items()
        if split in _SPLIT_NAMES
    }


def _hub_frame(rows: Any, label_column: str) -> pd.DataFrame:
    frame: pd.DataFrame = rows.to_pandas()
    if names := getattr(rows.features.get(label_column), "names", None):
        frame[label_column] = frame[label_column].map(dict(enumerate(names)))
    return frame.assign(place=[f"row {row}" for row in range(1, len(frame) + 1)])


def _read_csv(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(io.StringIO(_text(path)), dtype=str, keep_default_na=False)
    if not frame.index.equals(pd.RangeIndex(len(frame))):
        # pandas has taken the surplus fields for an index, which shifts the columns.
        raise ValueError("its rows have more fields than its header; quote texts with commas")
    return frame


def _read_json_lines(path: Path) -> pd.DataFrame:
    lines = enumerate(_text(path).split("\n"), start=1)
    return _records([_parsed(line, number) for number, line in lines if line.strip()])


def _read_json(path: Path) -> pd.DataFrame:
    return _records(json.loads(_text(path)))


def _records(rows: Any) -> pd.DataFrame:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it must hold one object per row")
    return pd.DataFrame(rows)


def _parsed(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig")


_READERS: Mapping[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".jsonl": _read_json_lines,
    ".json": _read_json,
    ".parquet": pd.read_parquet,
}
