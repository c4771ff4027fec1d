"""The merge step: one data set of real and synthetic rows, split before anything else."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from components import storage
from components.artifacts.task import load_task
from components.merge.agreement import filter_labels
from components.merge.audit import Audit
from components.merge.clean import clean_train, remove_leaks
from components.merge.description import describe, write
from components.merge.ledgers import read_ledgers
from components.merge.mixing import mix
from components.merge.report import DataReport, render
from components.merge.rows import (
    Splits,
    divide,
    held_out,
    read_all_synthetic,
    read_real,
    require_similar_labels,
)
from components.merge.settings import MergeSettings
from components.merge.sources import LEDGER_FILE, TRAIN

PROBLEMS = "problems.csv"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Merged:
    """A merged data set.

    Args:
        splits: Rows of train, validation and test: `text`, `label` (id), `source` (`real` or
            `synthetic`), `model` (of synthetic rows) and, with `sample_weights`, `weight` in train.
        description: The content of `dataset.json`.
        removed: At most 1,000 rows that were removed: `text`, `label` (id), `source`, `reason`.
            All are counted in the description; invalid ones are not here but in `problems.csv`.
    """

    splits: Splits
    description: Mapping[str, Any]
    removed: pd.DataFrame


def merge(
    settings: MergeSettings,
    synthetic: Sequence[Path],
    output: Path,
    problems: Path | None = None,
) -> Merged:
    """Write train, validation and test Parquet files and `dataset.json` into a folder.

    Validation and test are drawn from the real rows before a synthetic row is looked at
    (unless `pool` is on). Everything that is removed is removed from train, and counted.

    Args:
        settings: Where the real rows come from, what is checked and how rows are mixed.
        synthetic: Folders of the generate step; none for real rows alone.
        output: Folder for the data set.
        problems: CSV file for the rows that a check finds; `problems.csv` beside `output` if
            not given. It stays when the step fails.

    Raises:
        InputError: If a source is missing, or a check finds more than its setting allows.
    """
    task = load_task(settings.task)
    audit = Audit(task.names, problems or output.with_name(PROBLEMS))
    real, origin = read_real(settings, task, audit)
    extra, origins = read_all_synthetic(synthetic, settings, task, audit)
    splits = divide(real, extra, settings)
    require_similar_labels(splits, settings, audit)
    train = remove_leaks(splits[TRAIN], held_out(splits), settings, audit)
    train = clean_train(train, audit)
    train, agreement = filter_labels(train, settings, audit)
    splits[TRAIN] = mix(train, settings, audit)
    _log.info("merge: rows removed from train: %s", dict(+audit.removed))
    described = describe(splits, task, settings, audit) | {
        "agreement": agreement,
        "sources": [origin, *origins],
    }
    with storage.staged(output) as folder:
        description = write(splits, described, folder)
    columns = ["text", "label", "source", "model", "weight"]
    kept = {name: rows[[c for c in columns if c in rows]] for name, rows in splits.items()}
    return Merged(kept, description, audit.examples())


def data_report(merged: Merged, synthetic: Sequence[Path]) -> str:
    """The data report as a self-contained HTML page.

    Args:
        merged: What `merge` returned.
        synthetic: The folders that it was given, for their ledgers.
    """
    described = merged.description
    ledgers = [folder / LEDGER_FILE for folder in synthetic if (folder / LEDGER_FILE).is_file()]
    return render(
        DataReport(
            task=described["task"],
            labels=described["labels"],
            splits=merged.splits,
            removed=merged.removed,
            checks=described["checks"],
            agreement=described["agreement"],
            removed_counts=described["removed"],
            ledger=read_ledgers(ledgers),
            optimistic_validation=described["optimistic_validation_reason"],
            seed=described["seed"],
        )
    )
