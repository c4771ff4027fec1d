"""A hyperparameter search on one machine that resumes where it was stopped.

Source: Akiba et al. 2019, Optuna, doi 10.1145/3292500.3330701; its sampler is Bergstra et al.
2011, tree-structured Parzen estimator.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from components import storage
from components.artifacts.dataset import dataset_sha256
from components.artifacts.model.history import TRIALS_FILE, Trial, write_trials
from components.data_files import to_yaml
from components.errors import InputError, WorkError, require_between
from components.train.launch import fine_tune_in_processes
from components.train.search.space import SPACE, Parameter, for_trial, read_space, with_values
from components.train.settings import TrainSettings, changed_settings

_log = logging.getLogger(__name__)
_NAME = "train"
_FACTS = "facts"
BEST = "best.yaml"


def tuned(
    settings: TrainSettings,
    dataset: Path,
    trials: int,
    study_file: Path,
    space: str = str(SPACE),
) -> TrainSettings:
    """Find the settings whose model has the highest macro-F1 on the validation rows (see `search`).

    Args:
        settings: The seed, and the settings that are not searched.
        dataset: Folder of the merge step.
        trials: Number of trainings of the study, earlier ones included.
        study_file: SQLite file of the study.
        space: Search space, path or URI.
    """
    parameters = read_space(space, settings)

    def score(trial: TrainSettings) -> float:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch)
            history = fine_tune_in_processes(
                for_trial(trial), dataset, folder / "model", folder / "checkpoints"
            )
            return history.best["macro_f1"]

    return search(score, settings, parameters, trials, study_file, dataset_sha256(dataset))


def search(
    score: Callable[[TrainSettings], float],
    settings: TrainSettings,
    space: Sequence[Parameter],
    trials: int,
    study_file: Path,
    data: str,
) -> TrainSettings:
    """Find the settings with the highest score.

    With the study of a stopped search it runs the trials that are left, beginning with the
    one that was interrupted, and ends as if it had never been stopped. Next to the study it writes
    `trials.json` and `best.yaml`, which holds every setting that differs from its default.

    Args:
        score: Trains with settings and scores the result.
        settings: The seed, and the settings that are not searched.
        space: The settings that are searched.
        trials: Number of trials of the study, earlier ones included.
        study_file: SQLite file of the study.
        data: Identifies the data, so that no study mixes scores on different data.

    Raises:
        InputError: If the study belongs to another search, or a trial refuses its input.
        WorkError: If no trial succeeds.
    """
    require_between("trials", trials, 1)
    study = _open(study_file)
    spaces = [asdict(parameter) for parameter in space]
    _require_same(study, {"settings": asdict(settings), "space": spaces, "data": data})
    while (number := _next_trial(study, space, trials, settings.seed)) is not None:
        values = study.trials[number].params
        _log.info("search: trial %d/%d with %s", number + 1, trials, values)
        _run(study, number, score, with_values(settings, values))
        _write_trials(study, study_file.with_name(TRIALS_FILE))
    _write_trials(study, study_file.with_name(TRIALS_FILE))
    if not study.get_trials(states=(TrialState.COMPLETE,)):
        raise WorkError(str(study_file), "no trial succeeded", "See the log for the reasons")
    best = with_values(settings, study.best_params)
    with storage.staged(study_file.with_name(BEST)) as draft:
        draft.write_text(to_yaml(changed_settings(best)), encoding="utf-8")
    return best


def _open(study_file: Path) -> optuna.Study:
    # They would log between our lines.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study_file.parent.mkdir(parents=True, exist_ok=True)
    return optuna.create_study(
        storage=f"sqlite:///{study_file}",
        study_name=_NAME,
        direction="maximize",
        load_if_exists=True,
    )


def _require_same(study: optuna.Study, facts: Mapping[str, Any]) -> None:
    known = study.user_attrs.setdefault(_FACTS, facts)
    changed = [name for name, value in facts.items() if known[name] != value]
    if changed:
        rule = f"was started with other {' and '.join(changed)}"
        raise InputError(f"study {_NAME}", rule, "Name another study file")
    study.set_user_attr(_FACTS, facts)


def _next_trial(
    study: optuna.Study, space: Sequence[Parameter], trials: int, seed: int
) -> int | None:
    """The interrupted trial, else a new one, else None if there are enough."""
    if stopped := study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        return stopped[0].number
    created = len(study.get_trials(deepcopy=False))
    if created >= trials:
        return None
    # The study does not hold the sampler's random state: a seed per trial restores it.
    study.sampler = optuna.samplers.TPESampler(seed=seed + created)
    return study.ask({each.name: _distribution(each) for each in space}).number


def _distribution(parameter: Parameter) -> BaseDistribution:
    match parameter.kind:
        case "categorical":
            return CategoricalDistribution(parameter.choices)
        case "int":
            low, high = int(parameter.low), int(parameter.high)
            return IntDistribution(low, high, log=parameter.log)
        case _:
            return FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def _run(
    study: optuna.Study,
    number: int,
    score: Callable[[TrainSettings], float],
    settings: TrainSettings,
) -> None:
    """Run a trial; one that fails is recorded as failed, and the search continues."""
    try:
        value = score(settings)
    except InputError:
        raise
    except (ArithmeticError, MemoryError, OSError, RuntimeError, ValueError) as error:
        _log.warning("search: trial %d failed and is skipped: %s", number + 1, error)
        study.tell(number, state=TrialState.FAIL)
        return
    study.tell(number, value)
    best = study.best_trial
    _log.info(
        "search: trial %d scored %.4f, best %.4f in trial %d",
        *(number + 1, value, study.best_value, best.number + 1),
    )


def _write_trials(study: optuna.Study, path: Path) -> None:
    ended = [each for each in study.trials if each.state.is_finished()]
    trials = [Trial(each.number + 1, each.value, each.params) for each in ended]
    with storage.staged(path) as draft:
        write_trials(trials, draft)
