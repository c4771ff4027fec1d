"""The real and the synthetic rows, read and checked."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from components import storage
from components.artifacts.dataset import SYNTHETIC, TEST, TRAIN, VALIDATION
from components.artifacts.synthetic import LEDGER, SENTENCES
from components.artifacts.task import Task, load_task
from components.errors import InputError
from components.merge.audit import PROBLEMS, Audit
from components.merge.clean import (
    checked,
    clean_train,
    remove_leaks,
    remove_near_copies,
    remove_repeats,
)
from components.merge.feedback import FEEDBACK, read_labelled
from components.merge.reading.sources import fingerprint, locate, read_synthetic, read_tables
from components.merge.reading.split_names import WHOLE
from components.merge.settings import MergeSettings
from components.merge.splits import Splits, held_out, split_rows

Origin = Mapping[str, Any]
"""The identity of a source: `name`, and its `sha256` by file or its `revision`.

That of real rows also has `files` (its rows by split and file) and `labels` (its rows by the label
of the task, and by the label that stands in the source).
"""

COLUMNS = ["text", "label", "place", "model", "source", "origin"]

_MAPPED = "Correct the rows, map other labels with label_map"
_log = logging.getLogger(__name__)


def real_train(settings: MergeSettings) -> pd.DataFrame:
    """Read the real rows that merge would train on, columns `text` and `label` (id).

    Raises:
        InputError: If the data set cannot be read, checked or split.
    """
    task = load_task(settings.task)
    with TemporaryDirectory() as folder:
        audit = Audit(task.names, Path(folder) / PROBLEMS)
        real, _ = read_real(settings, task, audit)
        splits = split_rows(real, settings, task.names)
        feedback, _ = read_feedback(settings, task, audit)
        rows = pd.concat([splits[TRAIN], feedback], ignore_index=True)
        train = remove_leaks(rows, held_out(splits), settings, audit)
        return clean_train(train, audit)[["text", "label"]]


def read_real(settings: MergeSettings, task: Task, audit: Audit) -> tuple[Splits, Origin]:
    """Read the rows of the data set by the splits it has, and its identity.

    Raises:
        InputError: If it cannot be read, or too many rows are unusable.
    """
    _require_known_targets(settings, task)
    with TemporaryDirectory() as downloads:
        path = locate(settings, Path(downloads))
        tables = read_tables(settings, path)
        hashed = {"sha256": fingerprint(path, tables)} if path else {}
    pinned = hashed or settings.hub_pin
    rows = {
        name: checked(raw, task, f"{settings.dataset}, {name}", settings, audit, _MAPPED)
        for name, raw in tables.items()
    }
    _log.info("merge: %d real rows read", sum(map(len, rows.values())))
    origin = {"name": settings.dataset, **pinned, **_reading(rows, task)}
    if not {TEST, VALIDATION} <= set(rows):
        # A text that occurs twice, or nearly, would be drawn for two splits.
        drawn_from = TRAIN if TRAIN in rows else WHOLE
        unique = clean_train(rows[drawn_from], audit)
        rows[drawn_from] = remove_near_copies(unique, settings, audit)
    return rows, origin


def read_feedback(
    settings: MergeSettings, task: Task, audit: Audit
) -> tuple[pd.DataFrame, list[Origin]]:
    """Read the rows that people labelled, and their identity; none without a file.

    They are for train alone: in validation and test, rows that a model was unsure of would make
    its successors look worse than it.

    Raises:
        InputError: If the file cannot be read, or too many rows are unusable.
    """
    if not settings.feedback:
        return _no_rows(), []
    given = read_labelled(settings.feedback)
    rows = checked(given.rows, task, f"{FEEDBACK} {settings.feedback}", settings, audit)
    counts = {"rows": len(rows), "unlabelled": given.unlabelled}
    _log.info("merge: %d rows of feedback read, %d more had no label", *counts.values())
    return rows, [{"name": FEEDBACK, "sha256": given.sha256, **counts}]


def read_all_synthetic(
    folders: Sequence[Path], settings: MergeSettings, task: Task, audit: Audit
) -> tuple[pd.DataFrame, list[Origin]]:
    """Read the synthetic rows of all sources, none (nearly) twice, and the sources' identities.

    Raises:
        InputError: If one cannot be read, or too many of its rows are unusable.
    """
    parts: list[pd.DataFrame] = []
    origins: list[Origin] = []
    for number, folder in enumerate(folders, start=1):
        raw = read_synthetic(folder, number)
        parts.append(checked(raw, task, f"synthetic rows of {folder}", settings, audit))
        files = [folder / name for name in (SENTENCES, LEDGER)]
        hashes = {file.name: storage.sha256(file) for file in files if file.is_file()}
        origins.append({"name": f"{SYNTHETIC}_{number}", "sha256": hashes})
    rows = pd.concat(parts, ignore_index=True) if parts else _no_rows()
    _log.info("merge: %d synthetic rows read", len(rows))
    return remove_repeats(rows, settings, audit), origins


def _reading(rows: Splits, task: Task) -> dict[str, dict[str, dict[str, int]]]:
    """How the source was read: the files of each split, and the labels behind each of the task."""
    files = {name: _counted(part["file"]) for name, part in rows.items()}
    together = pd.concat(list(rows.values()), ignore_index=True)
    given = together["given"].groupby(together["label"])
    labels = {task.names[int(str(label))]: _counted(each) for label, each in given}
    _log.info("merge: rows by split and file: %s; by label: %s", files, labels)
    return {"files": files, "labels": labels}


def _counted(values: pd.Series) -> dict[str, int]:
    """Count values in the order of their first occurrence."""
    return dict(Counter(str(each).strip() for each in values))


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS}).astype(
        {"label": "int64"}
    )


def _require_known_targets(settings: MergeSettings, task: Task) -> None:
    if unknown := sorted(set(settings.label_map.values()) - set(task.names)):
        rule = f"maps to {', '.join(unknown)}, which the task {task.name} does not have"
        raise InputError("label_map", rule, f"Map to {', '.join(task.names)}")
