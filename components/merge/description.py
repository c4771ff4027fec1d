"""The files of a merged data set, and `dataset.json`, which says what they are."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from components import storage
from components.artifacts.task import Task
from components.merge.audit import INVALID, SYNTHETIC, Audit
from components.merge.rows import Splits
from components.merge.settings import MergeSettings
from components.merge.sources import SPLITS, TEST, VALIDATION

DESCRIPTION = "dataset.json"

_WRITTEN = ("text", "label", "source", "weight")
_POOLED = (
    "Real and synthetic rows were pooled before validation was drawn, so validation holds "
    "synthetic rows like those trained on, and its scores flatter the model."
)


def describe(splits: Splits, task: Task, settings: MergeSettings, audit: Audit) -> dict[str, Any]:
    """What is known of the rows before they are written."""
    removed = dict(audit.removed)
    invalid = (INVALID, f"{SYNTHETIC}_{INVALID}")
    return {
        "task": task.name,
        "labels": list(task.names),
        "rows": {name: splits[name]["source"].value_counts().to_dict() for name in SPLITS},
        "rows_by_label": {name: _by_label(splits[name], task) for name in SPLITS},
        "removed": removed,
        "removed_from_train": {why: rows for why, rows in removed.items() if why not in invalid},
        "checks": audit.checks,
        "models": _models(splits),
        "optimistic_validation": settings.pool,
        "optimistic_validation_reason": _reason(splits) if settings.pool else "",
        "source": {"dataset": settings.dataset, "revision": settings.dataset_revision},
        "seed": settings.seed,
    }


def write(splits: Splits, described: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write the splits and `dataset.json`; returns the content of the latter."""
    folder.mkdir()
    for name in SPLITS:
        columns = [each for each in _WRITTEN if each in splits[name]]
        splits[name][columns].to_parquet(folder / f"{name}.parquet", index=False)
    hashes = {f"{name}.parquet": storage.sha256(folder / f"{name}.parquet") for name in SPLITS}
    description = described | {"sha256": hashes}
    text = json.dumps(description, indent=2) + "\n"
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")
    return description


def _reason(splits: Splits) -> str:
    is_shared = splits[TEST] is splits[VALIDATION]
    return f"{_POOLED} The test split is the same rows." if is_shared else _POOLED


def _models(splits: Splits) -> dict[str, dict[str, int]]:
    """Synthetic rows of each model, by split."""
    counts: dict[str, dict[str, int]] = {}
    for name, rows in splits.items():
        models = rows["model"][rows["source"] == SYNTHETIC].value_counts(sort=False)
        for model, count in models.items():
            counts.setdefault(str(model), {})[name] = int(count)
    return counts


def _by_label(rows: pd.DataFrame, task: Task) -> dict[str, int]:
    counts = rows["label"].value_counts()
    return {name: int(counts.get(index, 0)) for index, name in enumerate(task.names)}
