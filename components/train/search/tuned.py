"""Settings that a search has improved, from training the real thing."""

from pathlib import Path
from tempfile import TemporaryDirectory

from components.artifacts.dataset import dataset_sha256
from components.train.launch import train_in_processes
from components.train.search.space import SPACE, for_trial, read_space
from components.train.search.study import search
from components.train.settings import TrainSettings


def tuned(
    settings: TrainSettings,
    dataset: Path,
    trials: int,
    study_file: Path,
    space: str = str(SPACE),
) -> TrainSettings:
    """Find the settings whose model has the highest macro-F1 on the validation rows.

    Args:
        settings: What the settings have that are not searched, and the seed.
        dataset: Folder of the merge step.
        trials: How many trainings the study shall have in all.
        study_file: SQLite file of the study; a search that was stopped goes on from it.
        space: Search space, path or URI.

    Raises:
        InputError: If the search space, the study or the data set cannot be used.
    """
    parameters = read_space(space, settings)

    def score(trial: TrainSettings) -> float:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch)
            history = train_in_processes(
                for_trial(trial), dataset, folder / "model", folder / "checkpoints"
            )
            return history.best["macro_f1"]

    data = dataset_sha256(dataset)
    return search(score, settings, parameters, trials, study_file, data)
