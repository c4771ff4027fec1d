"""The description of a merged data set: rows, checks, sources and what was removed."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from components.artifacts.dataset import SPLITS, SYNTHETIC, TEST, VALIDATION, Description
from components.artifacts.task import Task
from components.merge.audit import INVALID, Audit
from components.merge.rows import Origin, Splits
from components.merge.settings import MergeSettings

_POOLED = (
    "Real and synthetic rows were pooled before validation was drawn, so validation holds "
    "synthetic rows like those trained on, and its scores flatter the model."
)


def describe(
    splits: Splits,
    task: Task,
    settings: MergeSettings,
    audit: Audit,
    agreement: Mapping[str, Any],
    sources: Sequence[Origin],
) -> Description:
    """Describe a data set before it is written."""
    removed = dict(audit.removed)
    invalid = (INVALID, f"{SYNTHETIC}_{INVALID}")
    return Description(
        task=task.name,
        labels=task.names,
        rows={name: _by_source(splits[name]) for name in SPLITS},
        rows_by_label={name: _by_label(splits[name], task) for name in SPLITS},
        removed=removed,
        removed_from_train={why: rows for why, rows in removed.items() if why not in invalid},
        checks=audit.checks,
        models=_models(splits),
        optimistic_validation=settings.pool,
        optimistic_validation_reason=_reason(splits) if settings.pool else "",
        source={"dataset": settings.dataset, "revision": settings.dataset_revision},
        seed=settings.seed,
        agreement=agreement,
        sources=sources,
    )


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


def _by_source(rows: pd.DataFrame) -> dict[str, int]:
    return {str(source): count for source, count in rows["source"].value_counts().items()}


def _by_label(rows: pd.DataFrame, task: Task) -> dict[str, int]:
    counts = rows["label"].value_counts()
    return {name: int(counts.get(index, 0)) for index, name in enumerate(task.names)}
