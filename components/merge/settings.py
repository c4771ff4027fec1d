"""What a user may choose about the data."""

import re
from dataclasses import dataclass

from components.checks import InputError, require_between

HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class MergeSettings:
    """Settings of the merge step."""

    task: str = "emotion"
    """Shipped task name, or path or URI of a task file."""
    dataset: str = "sample"
    """`sample`, a hub id, or a path or URI of a file or folder of CSV, JSON lines or Parquet."""
    dataset_revision: str = ""
    """Commit that pins a hub data set; not used for other sources."""
    test_fraction: float = 0.1
    """Share of the real rows kept for the test split, if the source has none."""
    validation_fraction: float = 0.1
    """Share of the remaining real rows for the validation split, if the source has none."""
    max_train_rows: int = 0
    """Real train rows to keep, drawn evenly over the labels' shares; 0 keeps all."""
    seed: int = 0

    def __post_init__(self) -> None:
        require_between("test_fraction", self.test_fraction, 0.01, 0.5)
        require_between("validation_fraction", self.validation_fraction, 0.01, 0.5)
        require_between("max_train_rows", self.max_train_rows, 0)
        require_between("seed", self.seed, 0, 2**31 - 1)
        if not self.dataset:
            raise InputError("dataset", "is empty", "Name a data set, for example `sample`")

    def require_pinned(self) -> None:
        """Refuse a hub data set whose revision is not a commit.

        Raises:
            InputError: If `dataset_revision` could move.
        """
        if not _COMMIT.fullmatch(self.dataset_revision):
            rule = f"a hub data set ({self.dataset}) is pinned by a commit of 40 hexadecimal digits"
            fix = "Copy the commit from the data set's page, Files and versions"
            raise InputError(f"dataset_revision={self.dataset_revision!r}", rule, fix)
