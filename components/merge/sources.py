"""Reading labelled rows: the embedded sample, files, folders, object storage, the hub."""

import io
import json
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from components import storage
from components.checks import InputError
from components.merge.settings import HUB_ID, MergeSettings

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
WHOLE = "all"

Tables = Mapping[str, pd.DataFrame]
"""Raw rows by split name, or one table under `WHOLE`; column `place` names each row's origin."""

_SPLIT_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
    "dev": VALIDATION,
    "test": TEST,
}


def read_tables(settings: MergeSettings, downloads: Path) -> Tables:
    """Read the real rows of the data set that the settings name.

    Raises:
        InputError: If the source is missing or cannot be read; it names the file and place.
    """
    if settings.dataset == "sample":
        with resources.as_file(resources.files("components.merge") / "sample") as folder:
            return _read_files(folder)
    is_local = "://" in settings.dataset or Path(settings.dataset).exists()
    if not is_local and HUB_ID.fullmatch(settings.dataset):
        settings.require_pinned()
        return _read_hub(settings.dataset, settings.dataset_revision)
    return _read_files(storage.fetch(settings.dataset, downloads))


def read_file(path: Path) -> pd.DataFrame:
    """Read one CSV, JSON lines, JSON or Parquet file; adds the column `place`.

    Raises:
        InputError: If the file cannot be read as what its name says.
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
        raise InputError(str(path), rule, "Mend the file or give it its right name") from error
    return frame.assign(place=[f"{path.name}, row {row}" for row in range(1, len(frame) + 1)])


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
        fix = "Add train.csv (or .jsonl, .parquet), if wanted beside validation and test"
        raise InputError(str(path), rule, fix)
    return tables


def _read_hub(name: str, revision: str) -> Tables:
    import datasets

    try:
        loaded = datasets.load_dataset(name, revision=revision)
    except (OSError, ValueError) as error:
        rule = f"cannot be read from the hub ({type(error).__name__}), and no such path is here"
        fix = "Check the name, the revision and the network, or give a folder"
        raise InputError(f"dataset {name}", rule, fix) from error
    return {
        _SPLIT_NAMES[split]: _hub_frame(rows)
        for split, rows in loaded.items()
        if split in _SPLIT_NAMES
    }


def _hub_frame(rows: "datasets.Dataset") -> pd.DataFrame:  # type: ignore[name-defined]  # noqa: F821
    frame: pd.DataFrame = rows.to_pandas()
    if names := getattr(rows.features.get("label"), "names", None):
        frame["label"] = frame["label"].map(dict(enumerate(names)))
    return frame.assign(place=[f"row {row}" for row in range(1, len(frame) + 1)])


def _read_csv(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(io.StringIO(_text(path)), dtype=str, keep_default_na=False)
    if not frame.index.equals(pd.RangeIndex(len(frame))):
        # pandas took the surplus fields for an index, which shifts the columns.
        raise ValueError("its rows have more fields than its header; quote texts with commas")
    return frame


def _read_json_lines(path: Path) -> pd.DataFrame:
    lines = enumerate(_text(path).split("\n"), start=1)
    return _records([_parsed(line, number) for number, line in lines if line.strip()])


def _read_json(path: Path) -> pd.DataFrame:
    return _records(json.loads(_text(path)))


def _records(rows: Any) -> pd.DataFrame:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it must hold one object a row")
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
