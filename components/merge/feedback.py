"""Rows that people labelled, as Label Studio exports them."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from components import storage
from components.artifacts.dataset import REAL
from components.errors import InputError
from components.merge.reading.separated import MissingColumnError
from components.merge.reading.tables import read_file

FEEDBACK = "feedback"
"""Name of these rows among the sources."""


@dataclass(frozen=True, eq=False)
class Feedback:
    """What people labelled.

    Args:
        rows: Columns `text`, `label` (as given), `place`, `model`, `source` and `origin`.
        unlabelled: Number of rows without a label, which are left out: an export holds the tasks
            that somebody has opened and not labelled too.
        sha256: Hash of the file by its name.
    """

    rows: pd.DataFrame
    unlabelled: int
    sha256: dict[str, str]


def read_labelled(reference: str) -> Feedback:
    """Read what people labelled.

    Args:
        reference: Path or URI of a file with the columns `text` and `label`.

    Raises:
        InputError: If it cannot be read.
    """
    with TemporaryDirectory() as downloads:
        path = storage.fetch(reference, Path(downloads))
        try:
            raw = read_file(path)
        except MissingColumnError as error:
            fix = "Export the project as CSV or JSON-MIN, with a label at least, or name these two"
            raise InputError(f"{FEEDBACK} {reference}", error.rule, fix) from error
        hashed = {path.name: storage.sha256(path)}
    absent = raw["label"].map(_is_absent).astype(bool)
    rows = raw[~absent].assign(model="", source=REAL, origin=FEEDBACK)
    return Feedback(rows.reset_index(drop=True), int(absent.sum()), hashed)


def _is_absent(label: Any) -> bool:
    if isinstance(label, str):
        return not label.strip()
    return pd.api.types.is_scalar(label) and bool(pd.isna(label))
