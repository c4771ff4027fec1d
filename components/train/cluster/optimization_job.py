"""The Kubeflow Trainer OptimizationJob that searches on a cluster, with one TrainJob per trial.

Trainer puts the values of a trial into variables of its pods, from which Kubernetes fills in the
arguments. A trial reports its score to Trainer's controller, as every TrainJob does
(`components.train.loop.trainer`), if the controller has the feature TrainJobStatus.

Source: optimizationjob_types.go in kubeflow/trainer, pkg/apis/trainer/v1alpha1, and its KEP 3562,
of August 2026: after release 2.3.0, and before there is a controller of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from components.errors import InputError
from components.train.cluster import pods
from components.train.cluster.plan import SearchPlan, trial_arguments
from components.train.cluster.train_job import API_VERSION, job_spec
from components.train.search.space import METRIC, Parameter
from components.train.settings import TrainSettings

GRID, RANDOM = "grid", "random"
_VARIABLE = "$(KUBEFLOW_TRAINER_OPT_{})"
_MOST_CHOICES, _MOST_CHARACTERS = 100, 64
_TYPES = {"float": "Float", "int": "Int"}


@dataclass(frozen=True)
class Plan(SearchPlan):
    """Size and algorithm of a search by Trainer; `grid` is for settings with choices only."""

    ALGORITHMS: ClassVar[Sequence[str]] = (RANDOM, GRID)
    MOST_TRIALS: ClassVar[float] = 100

    algorithm: str = RANDOM


def optimization_job(
    name: str,
    settings: TrainSettings,
    space: Sequence[Parameter],
    image: str,
    dataset_uri: str,
    plan: Plan,
    resources: pods.PodResources,
    access: pods.Access,
) -> dict[str, Any]:
    """Build the manifest, ready to be written as YAML.

    Args:
        name: Name of the search.
        settings: The settings that are not searched.
        space: The settings that are searched.
        image: Container image of the train step.
        dataset_uri: Folder of the merge step, in object storage.
        plan: Size and algorithm of the search.
        resources: Resources of each trial.
        access: Way of the trials to object storage; their account is that of the runtime.

    Raises:
        InputError: If a grid is to be made of a range, or has fewer points than there are trials;
            choices are too many or too long; or the folder is not in object storage.
    """
    if plan.algorithm == GRID:
        _require_grid(space, plan)
    arguments = trial_arguments(settings, space, dataset_uri, _variable)
    trial = job_spec(settings, image, arguments, resources, access.environment())
    seed = {"seed": settings.seed} if plan.algorithm == RANDOM else {}
    return {
        "apiVersion": API_VERSION,
        "kind": "OptimizationJob",
        "metadata": {"name": name},
        "spec": {
            "objectives": [{"metric": METRIC, "direction": "Maximize"}],
            "searchAlgorithm": {plan.algorithm: seed},
            "parameters": [{"name": each.name, "searchSpace": _space(each)} for each in space],
            "numTrials": plan.trials,
            "parallelTrials": plan.parallel,
            "trainJobTemplate": {"spec": trial},
        },
    }


def _require_grid(space: Sequence[Parameter], plan: Plan) -> None:
    ranges = [each.name for each in space if each.kind != "categorical"]
    if ranges:
        rule = f"takes choices only, and {', '.join(ranges)} of the search space have ranges"
        raise InputError(f"algorithm={GRID!r}", rule, f"List choices, or use {RANDOM}")
    points = math.prod(len(each.choices) for each in space)
    if plan.trials > points:
        rule = f"is more than the {points} points of the grid"
        raise InputError(f"trials={plan.trials}", rule, "Lower it, or add choices")


def _require_choices(name: str, texts: Sequence[str]) -> None:
    if len(texts) > _MOST_CHOICES or max(map(len, texts)) > _MOST_CHARACTERS:
        rule = f"must be up to {_MOST_CHOICES}, of up to {_MOST_CHARACTERS} characters each"
        raise InputError(f"search space: {name}: choices", rule, "Shorten the list")


def _variable(parameter: Parameter) -> str:
    return _VARIABLE.format(parameter.name.upper())


def _space(parameter: Parameter) -> dict[str, Any]:
    texts = parameter.texts()
    if parameter.kind == "categorical":
        _require_choices(parameter.name, texts)
        return {"categorical": {"choices": texts}}
    distribution = "logUniform" if parameter.log else "uniform"
    return {distribution: {"min": texts[0], "max": texts[1], "type": _TYPES[parameter.kind]}}
