"""The merge step: one data set of real and synthetic rows, split before anything else."""

import json
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from components import storage
from components.merge.clean import checked, clean_synthetic, clean_train
from components.merge.settings import MergeSettings
from components.merge.sources import SPLITS, TEST, TRAIN, VALIDATION, read_file, read_tables
from components.merge.split import split_rows, subsample
from components.task import Task, load_task

DESCRIPTION = "dataset.json"

_log = logging.getLogger(__name__)


def merge(settings: MergeSettings, synthetic: Path, output: Path) -> dict[str, Any]:
    """Write train, validation and test Parquet files and `dataset.json` into a folder.

    Synthetic rows go into the train split only. Texts that occur in more than one split or
    under more than one label are removed from train and counted.

    Args:
        settings: Where the real rows come from and how they are split.
        synthetic: `synthetic_emotions.json` of the generate step.
        output: Folder for the data set.

    Returns:
        The content of `dataset.json`.

    Raises:
        InputError: If a source is missing or any row is unusable.
    """
    task = load_task(settings.task)
    with TemporaryDirectory() as downloads:
        tables = read_tables(settings, Path(downloads))
    real = {
        name: checked(rows, task, f"{settings.dataset}, {name}") for name, rows in tables.items()
    }
    extra = checked(read_file(synthetic), task, "synthetic rows")
    _log.info("merge: %d real rows read, %d synthetic", sum(map(len, real.values())), len(extra))

    splits = split_rows(real, settings)
    held_out = pd.concat([splits[VALIDATION], splits[TEST]])
    train, removed = clean_train(splits[TRAIN], held_out)
    train = subsample(train, settings.max_train_rows, settings.seed)
    extra, removed_extra = clean_synthetic(extra, pd.concat([splits[TRAIN], held_out]))
    splits[TRAIN] = _with_source(train, extra)
    for name in (VALIDATION, TEST):
        splits[name] = splits[name].assign(source="real")
    _log.info("merge: rows removed from train: %s", removed | removed_extra)

    with storage.staged(output) as folder:
        return _write(splits, removed | removed_extra, task, settings, folder)


def _with_source(real: pd.DataFrame, synthetic: pd.DataFrame) -> pd.DataFrame:
    parts = [real.assign(source="real"), synthetic.assign(source="synthetic")]
    return pd.concat(parts, ignore_index=True)


def _write(
    splits: dict[str, pd.DataFrame],
    removed: dict[str, int],
    task: Task,
    settings: MergeSettings,
    folder: Path,
) -> dict[str, Any]:
    folder.mkdir()
    for name in SPLITS:
        splits[name].to_parquet(folder / f"{name}.parquet", index=False)
    description = {
        "task": task.name,
        "labels": list(task.names),
        "rows": {name: splits[name]["source"].value_counts().to_dict() for name in SPLITS},
        "rows_by_label": {name: _by_label(splits[name], task) for name in SPLITS},
        "removed_from_train": removed,
        "source": {"dataset": settings.dataset, "revision": settings.dataset_revision},
        "seed": settings.seed,
        "sha256": {f"{n}.parquet": storage.sha256(folder / f"{n}.parquet") for n in SPLITS},
    }
    text = json.dumps(description, indent=2) + "\n"
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")
    return description


def _by_label(rows: pd.DataFrame, task: Task) -> dict[str, int]:
    counts = rows["label"].value_counts()
    return {name: int(counts.get(index, 0)) for index, name in enumerate(task.names)}
