"""Settings found by a search that trains and scores real models."""

from pathlib import Path
from tempfile import TemporaryDirectory

from components.artifacts.dataset import dataset_sha256
from components.train.launch import fine_tune_in_processes
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
        settings: The seed, and the settings that are not searched.
        dataset: Folder of the merge step.
        trials: Number of trainings of the study, earlier ones included.
        study_file: SQLite file of the study; a search that was stopped resumes from it.
        space: Search space, path or URI.

    Raises:
        InputError: If the search space, the study or the data set cannot be used.
    """
    parameters = read_space(space, settings)

    def score(trial: TrainSettings) -> float:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch)
            history = fine_tune_in_processes(
                for_trial(trial), dataset, folder / "model", folder / "checkpoints"
            )
            return history.best["macro_f1"]

    data = dataset_sha256(dataset)
    return search(score, settings, parameters, trials, study_file, data)
