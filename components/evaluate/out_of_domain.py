"""Texts from elsewhere than the data set: does the model know the task or only the data set?"""

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

logger = logging.getLogger(__name__)


def read_out_of_domain(reference: str, dataset: Dataset, task: Task) -> Split | None:
    """Read labelled texts that the data set does not hold.

    Args:
        reference: Path or URI of a CSV file with the columns `text` and `label`; `sample` for
            the test rows of the embedded sample, if they are of the task; or nothing.
        dataset: The data set; rows with a text of it are left out.
        task: What the labels are read by, as names or ids.

    Returns:
        None if there is nothing to read, or if fewer than 50 rows are left.

    Raises:
        InputError: If the file is missing or malformed, or has a label that is not the task's.
    """
    if not reference:
        return None
    rows = _read_rows(_SAMPLE_URI if reference == SAMPLE else reference)
    ids = [task.label_id(label) for _, label in rows]
    if None in ids:
        if reference == SAMPLE:
            return None
        rule = f"row {ids.index(None) + 1} has a label that is not of the task {task.name}"
        fix = f"Use {', '.join(task.names)}"
        raise InputError(f"out_of_domain {reference}", rule, fix)
    splits = (dataset.train, dataset.validation, dataset.test)
    known = {text for split in splits for text in split.texts}
    new = [row for row, (text, _) in enumerate(rows) if text not in known]
    if len(new) < _FEWEST_ROWS:
        logger.info("evaluate: %d rows of %s are new, too few to test on", len(new), reference)
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
            raise InputError(f"out_of_domain {uri}", rule, "Mend the file") from error
