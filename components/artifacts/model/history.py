"""The learning curves of a model, the epoch that was kept, and the speed of training."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from components.data_files import read_record
from components.errors import InputError

HISTORY_FILE = "history.json"
"""File of a model folder."""

Point = Mapping[str, float]
"""Values measured at one moment of training, by name."""


@dataclass(frozen=True)
class History:
    """Measurements of one training.

    Args:
        train: `step`, `epoch`, `loss` and `learning_rate`, several times per epoch.
        validation: `epoch`, `loss`, `accuracy` and `macro_f1` on the validation rows, at the end
            of each epoch.
        best_epoch: The epoch whose weights are kept.
        seconds: Duration, evaluation included.
        rows_per_second: Speed, evaluation excluded; 0 if it is not known.
        tokens_per_second: The same in tokens, padding not counted.
    """

    train: Sequence[Point]
    validation: Sequence[Point]
    best_epoch: float
    seconds: float = 0.0
    rows_per_second: float = 0.0
    tokens_per_second: float = 0.0

    @property
    def best(self) -> Point:
        """The point of `validation` at the end of the epoch whose weights are kept."""
        return min(self.validation, key=lambda point: abs(point["epoch"] - self.best_epoch))

    def write(self, folder: Path) -> None:
        """Write `history.json` into a model folder."""
        text = json.dumps(asdict(self), indent=1)
        (folder / HISTORY_FILE).write_text(text + "\n", encoding="utf-8")


def read_history(folder: Path) -> History:
    """Read `history.json` of a model folder.

    Raises:
        InputError: If it is missing or malformed.
    """
    path, fix = folder / HISTORY_FILE, "Train the model again"
    history = read_record(
        History, path, {"train": list, "validation": list, "best_epoch": float}, fix
    )
    if not history.validation:
        raise InputError(str(path), "holds no validation scores", fix)
    return history
