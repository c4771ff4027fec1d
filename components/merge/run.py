"""The merge step: one data set of real and synthetic rows, split before anything else."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from components.artifacts.dataset import (
    SPLITS,
    SYNTHETIC,
    TEST,
    TRAIN,
    VALIDATION,
    Description,
    require_place,
    write_dataset,
)
from components.artifacts.model.encoder import SentenceEncoder, load_encoder
from components.artifacts.synthetic import LEDGER
from components.artifacts.task import Task, load_task
from components.merge.agreement import filter_labels
from components.merge.audit import INVALID, PROBLEMS, Audit
from components.merge.clean import clean_train, remove_leaks
from components.merge.ledgers import read_ledgers
from components.merge.report import DataReport, render
from components.merge.rows import Origin, read_all_synthetic, read_feedback, read_real
from components.merge.settings import MergeSettings
from components.merge.splits import Splits, divide, held_out, mix, require_similar_labels

_POOLED = (
    "Real and synthetic rows were pooled before validation was drawn, so validation holds "
    "synthetic rows like those trained on, and its scores flatter the model."
)

_log = logging.getLogger(__name__)


def merge(
    settings: MergeSettings,
    synthetic: Sequence[Path],
    output: Path,
    problems: Path | None = None,
    report: Path | None = None,
) -> Description:
    """Write a merged data set (see `artifacts.dataset`) and a report on it.

    Validation and test are drawn from the real rows before a synthetic row is looked at
    (unless `pool` is on). Everything that is removed is removed from train, and counted.

    Args:
        settings: Where the real rows come from, what is checked and how rows are mixed.
        synthetic: Folders of the generate step; none for real rows only.
        output: Folder for the data set.
        problems: CSV file for the rows that a check finds; `problems.csv` next to `output` if
            not given. It stays when the step fails.
        report: HTML file for the data report; None for no report.

    Raises:
        InputError: If a source is missing, or a check finds more than its setting allows.
    """
    require_place(output)
    task = load_task(settings.task)
    audit = Audit(task.names, problems or output.with_name(PROBLEMS))
    real, origin = read_real(settings, task, audit)
    extra, origins = read_all_synthetic(synthetic, settings, task, audit)
    splits = divide(real, extra, settings, task.names)
    require_similar_labels(splits, settings, audit)
    feedback, labelled = read_feedback(settings, task, audit)
    rows = pd.concat([splits[TRAIN], feedback], ignore_index=True)
    train = remove_leaks(rows, held_out(splits), settings, audit)
    train = clean_train(train, audit)
    encoder = _encoder(settings)
    train, agreement = filter_labels(train, settings, audit, encoder)
    splits[TRAIN] = mix(train, settings, audit)
    _log.info("merge: rows removed from train: %s", dict(+audit.removed))
    described = _described(splits, task, settings, audit, agreement, [origin, *labelled, *origins])
    description = write_dataset(splits, described, output)
    if report:
        ledgers = [folder / LEDGER for folder in synthetic if (folder / LEDGER).is_file()]
        found = read_ledgers(ledgers)
        page = render(DataReport(description, splits, audit.examples(), found, encoder))
        report.write_text(page, encoding="utf-8")
    return description


def _encoder(settings: MergeSettings) -> SentenceEncoder | None:
    if not settings.encoder:
        return None
    with TemporaryDirectory() as downloads:
        return load_encoder(settings.encoder, Path(downloads))


def _described(
    splits: Splits,
    task: Task,
    settings: MergeSettings,
    audit: Audit,
    agreement: Mapping[str, Any],
    sources: Sequence[Origin],
) -> Description:
    """Describe a data set before it is written."""
    is_shared = splits[TEST] is splits[VALIDATION]
    reason = f"{_POOLED} The test split is the same rows." if is_shared else _POOLED
    removed = dict(audit.removed)
    invalid = (INVALID, f"{SYNTHETIC}_{INVALID}")
    return Description(
        task=task.name,
        labels=task.names,
        rows={name: dict(Counter(splits[name]["source"]).most_common()) for name in SPLITS},
        rows_by_label={name: _by_label(splits[name], task) for name in SPLITS},
        removed=removed,
        removed_from_train={why: rows for why, rows in removed.items() if why not in invalid},
        checks=audit.checks,
        models=_models(splits),
        optimistic_validation=settings.pool,
        optimistic_validation_reason=reason if settings.pool else "",
        source={"dataset": settings.dataset, **settings.hub_pin},
        seed=settings.seed,
        agreement=agreement,
        sources=sources,
    )


def _models(splits: Splits) -> dict[str, dict[str, int]]:
    """Count the synthetic rows of each model, by split."""
    counts: dict[str, dict[str, int]] = {}
    for name, rows in splits.items():
        models = rows["model"][rows["source"] == SYNTHETIC].value_counts(sort=False)
        for model, count in models.items():
            counts.setdefault(str(model), {})[name] = int(count)
    return counts


def _by_label(rows: pd.DataFrame, task: Task) -> dict[str, int]:
    counts = np.bincount(rows["label"], minlength=len(task.names)).tolist()
    return dict(zip(task.names, counts, strict=True))
