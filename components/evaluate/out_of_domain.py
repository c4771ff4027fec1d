"""Texts from another source, to see whether the model knows more than its data set."""

import csv
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from components import storage
from components.artifacts.dataset import Dataset, Split
from components.artifacts.task import Task
from components.errors import InputError
from components.evaluate.settings import SAMPLE

_SAMPLE_URI = "package:components.merge/sample/test.csv"
_FEWEST_ROWS = 50

_log = logging.getLogger(__name__)


def read_out_of_domain(reference: str, dataset: Dataset, task: Task) -> Split | None:
    """Read labelled texts that are not in the data set.

    Args:
        reference: Path or URI of a CSV file with the columns `text` and `label`; `sample` for
            the test rows of the embedded sample, if their labels are the task's; or empty.
        dataset: The data set; rows whose text it holds are left out.
        task: The labels, which the file gives as names or ids.

    Returns:
        None without a reference, or if fewer than 50 rows are left.

    Raises:
        InputError: If the file is missing or malformed, or has a label of another task.
    """
    if not reference:
        return None
    rows = _read_rows(_SAMPLE_URI if reference == SAMPLE else reference)
    ids = [task.label_id(label) for _, label in rows]
    if None in ids:
        if reference == SAMPLE:
            return None
        rule = f"row {ids.index(None) + 1} has a label that the task {task.name} lacks"
        fix = f"Use {', '.join(task.names)}"
        raise InputError(f"out_of_domain {reference}", rule, fix)
    splits = (dataset.train, dataset.validation, dataset.test)
    known = {text for split in splits for text in split.texts}
    new = [row for row, (text, _) in enumerate(rows) if text not in known]
    if len(new) < _FEWEST_ROWS:
        _log.info("evaluate: only %d rows of %s are new, too few to test on", len(new), reference)
        return None
    return Split([rows[row][0] for row in new], np.array([ids[row] for row in new], np.int64))


def _read_rows(uri: str) -> list[tuple[str, str]]:
    with TemporaryDirectory() as downloads:
        path = storage.fetch(uri, Path(downloads))
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                return [(row["text"], row["label"]) for row in csv.DictReader(file, strict=True)]
        except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
            rule = f"is not a CSV file with the columns text and label ({error})"
            raise InputError(f"out_of_domain {uri}", rule, "Correct the file") from error
