"""The size of a search on a cluster, and the arguments of its trials."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from components.errors import InputError, require_between, require_one_of
from components.train.cluster import pods
from components.train.search.space import Parameter, for_trial
from components.train.settings import TrainSettings, changed_settings, to_arguments


@dataclass(frozen=True)
class SearchPlan:
    """Size and algorithm of a search; each system that searches refines what it can do.

    Args:
        algorithm: One of `ALGORITHMS`.
        trials: Number of trials.
        parallel: Trials at a time.
    """

    ALGORITHMS: ClassVar[Sequence[str]]
    MOST_TRIALS: ClassVar[float] = math.inf

    algorithm: str
    trials: int = 20
    parallel: int = 4

    def __post_init__(self) -> None:
        require_one_of("algorithm", self.algorithm, self.ALGORITHMS)
        require_between("trials", self.trials, 1, self.MOST_TRIALS)
        require_between("parallel", self.parallel, 1)
        if self.parallel > self.trials:
            rule = f"is more than trials={self.trials}"
            raise InputError(f"parallel={self.parallel}", rule, "Lower it, or raise trials")


def trial_arguments(
    settings: TrainSettings,
    space: Sequence[Parameter],
    dataset_uri: str,
    placeholder: Callable[[Parameter], str],
) -> list[str]:
    """Build the arguments of the train step in a trial.

    Args:
        settings: The settings that are not searched.
        space: The settings that are searched.
        dataset_uri: Folder of the merge step, in object storage.
        placeholder: What the system that searches replaces by a trial's value.

    Raises:
        InputError: If the folder is not in object storage.
    """
    pods.require_reachable(dataset_uri)
    return [
        f"--dataset={dataset_uri}",
        f"--output={pods.SCRATCH}/model",
        *to_arguments(changed_settings(for_trial(settings))),
        *(f"--set={each.name}={placeholder(each)}" for each in space),
    ]
