"""How a model came about: learning curves, the epoch that was kept, speed, and a search before."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from components.data_files import read_json, read_record
from components.errors import InputError

HISTORY_FILE = "history.json"
"""File of a model folder."""
TRIALS_FILE = "trials.json"
"""File of the trials of a search."""

Point = Mapping[str, float]
"""Values measured at one moment of training, by name."""


@dataclass(frozen=True)
class Trial:
    """A training of a search.

    Args:
        number: Its place in the search, from 1.
        macro_f1: On the validation rows; None if the trial failed.
        settings: Values of what is searched, by name.
    """

    number: int
    macro_f1: float | None
    settings: Mapping[str, Any]


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
        trials: The trials of the search that found the settings, if there was one.
        teacher: Of a student, the best point of `validation` of the model that taught it.
    """

    train: Sequence[Point]
    validation: Sequence[Point]
    best_epoch: float
    seconds: float = 0.0
    rows_per_second: float = 0.0
    tokens_per_second: float = 0.0
    trials: Sequence[Trial] = ()
    teacher: Point = field(default_factory=dict)

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
    known = {"train": list, "validation": list, "best_epoch": float}
    history = read_record(History, path, known, fix)
    if not history.validation:
        raise InputError(str(path), "holds no validation scores", fix)
    return replace(history, trials=_trials(history.trials, path, fix))


def write_trials(trials: Sequence[Trial], path: Path) -> None:
    """Write the trials of a search as JSON."""
    text = json.dumps([asdict(each) for each in trials], indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def read_trials(path: Path | None) -> tuple[Trial, ...]:
    """Read what `write_trials` has written; None is no search.

    Raises:
        InputError: If it is missing or malformed.
    """
    fix = "Name the file that a search has written"
    if not path:
        return ()
    return _trials(read_json(path, fix), path, fix)


def _trials(content: Any, path: Path, fix: str) -> tuple[Trial, ...]:
    try:
        return tuple(Trial(**each) for each in content)
    except TypeError as error:
        raise InputError(str(path), "holds trials of another form", fix) from error
