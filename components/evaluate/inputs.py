"""The training history of train, as evaluate reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import InputError
from components.json_files import read_json

Point = Mapping[str, float]
"""What was measured at one moment of the training, by name."""


@dataclass(frozen=True)
class History:
    """What train measured: `train` every few steps, `validation` after every epoch.

    `best_epoch` is the epoch whose weights were kept, `rows_per_second` the speed, 0 if not known.
    """

    train: Sequence[Point]
    validation: Sequence[Point]
    best_epoch: float
    rows_per_second: float = 0.0

    @property
    def best(self) -> Point:
        """What was measured on the validation split at the end of the best epoch."""
        return min(self.validation, key=lambda point: abs(point["epoch"] - self.best_epoch))


def read_history(path: Path) -> History:
    """Read the `history.json` of a model folder.

    Raises:
        InputError: If it is missing or malformed.
    """
    kinds = {"train": list, "validation": list, "best_epoch": float}
    content = read_json(path, kinds, "Train the model again")
    if not content["validation"]:
        raise InputError(str(path), "holds no validation scores", "Train the model again")
    speed = content.get("rows_per_second", 0.0)
    return History(content["train"], content["validation"], content["best_epoch"], speed)
