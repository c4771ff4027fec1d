"""The train step: search for settings, fine-tune, and measure what synthetic rows are worth."""

from dataclasses import replace
from pathlib import Path

from components.artifacts.model.history import History
from components.train.launch import fine_tune_in_processes
from components.train.search.study import tuned
from components.train.settings import TrainSettings


def train(
    settings: TrainSettings, dataset: Path, model: Path, real_only: Path, checkpoints: Path
) -> History:
    """Write a model folder, after a search if `search_trials` asks for one.

    Args:
        settings: How to train.
        dataset: Folder of the merge step.
        model: The model folder; it appears when it is complete.
        real_only: The model folder of a second training without synthetic rows, if `ablation`
            asks for it; otherwise an empty folder.
        checkpoints: Folder for what a killed step resumes from.

    Returns:
        The measurements of the (first) training.

    Raises:
        InputError: If the base model, the data set or the search space cannot be used.
        WorkError: If a training fails, or the int8 model differs too much from the float32 model.
    """
    once = replace(settings, search_trials=0, ablation=False)
    if settings.search_trials:
        study = checkpoints / "search" / "study.sqlite"
        once = tuned(once, dataset, settings.search_trials, study)
    history = fine_tune_in_processes(once, dataset, model, checkpoints / "all")
    real_only.mkdir(parents=True, exist_ok=True)
    if settings.ablation:
        fine_tune_in_processes(once, dataset, real_only, checkpoints / "real_only", real_only=True)
    return history
