"""The train step: search for settings, fine-tune, and measure what synthetic rows are worth."""

import shutil
from dataclasses import replace
from pathlib import Path

from components import storage
from components.artifacts.model import bundle
from components.artifacts.model.history import TRIALS_FILE, History
from components.train.default_copies import with_copies
from components.train.launch import fine_tune_in_processes
from components.train.search.study import tuned
from components.train.settings import TrainSettings


def train(
    settings: TrainSettings,
    dataset: Path,
    model: Path,
    real_only: Path,
    checkpoints: Path,
    checkpoints_uri: str = "",
    trials: Path | None = None,
) -> History:
    """Write a model folder, after a search if `search_trials` asks for one.

    Args:
        settings: How to train.
        dataset: Folder of the merge step.
        model: The model folder; it appears when it is complete.
        real_only: The model folder of a second training without synthetic rows, if `ablation`
            asks for it; otherwise an empty folder.
        checkpoints: Folder for what a killed step resumes from.
        checkpoints_uri: The same in the pipeline's store. If that is object storage and the
            settings name no other place, the checkpoints are copied there as they are made, and
            are not left in the folder.
        trials: File of an earlier search that found the settings.

    Returns:
        The measurements of the (first) training.

    Raises:
        InputError: If the base model, the data set or the search space cannot be used, or an output
            would take the place of something else.
        WorkError: If a training fails, or the int8 model differs too much from the float32 model.
    """
    for output in (model, real_only) if settings.ablation else (model,):
        storage.require_replaceable(output, bundle.MANIFEST)
    once = replace(settings, search_trials=0, search_parallel=1, ablation=False)
    if settings.search_trials:
        study = checkpoints / "search" / "study.sqlite"
        once = tuned(once, dataset, settings.search_trials, study)
        trials = study.with_name(TRIALS_FILE)
    copied = with_copies(once, checkpoints_uri)
    whole, part = checkpoints / "all", checkpoints / "real_only"
    history = fine_tune_in_processes(copied, dataset, model, whole, trials=trials)
    real_only.mkdir(parents=True, exist_ok=True)
    if settings.ablation:
        fine_tune_in_processes(copied, dataset, real_only, part, real_only=True)
    if copied is not once:
        # KFP would store them a second time.
        for folder in (whole, part):
            shutil.rmtree(folder, ignore_errors=True)
    return history
