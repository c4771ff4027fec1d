"""A search on a cluster: an Experiment of Katib, made by the step."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from components.artifacts.jobs import EXPERIMENTS
from components.artifacts.model.history import Trial
from components.errors import WorkError
from components.options import read_assignments
from components.train.cluster import katib
from components.train.cluster.api import StepCluster
from components.train.cluster.job import Job, JobKind, work_name
from components.train.cluster.step_pod import StepPod
from components.train.search.space import METRIC, SPACE, Parameter, read_space, with_values
from components.train.settings import TrainSettings

TRIALS = (*EXPERIMENTS[:2], "trials")
_SUCCEEDED = "Succeeded"
_EXPERIMENT = "katib.kubeflow.org/experiment"
_log = logging.getLogger(__name__)


def search_on_cluster(
    settings: TrainSettings, dataset_uri: str, model_uri: str, cluster: StepCluster, pod: StepPod
) -> tuple[TrainSettings, Sequence[Trial]]:
    """Find the settings whose model has the highest macro-F1 on the validation rows.

    `settings.search_parallel` trials run at a time, each in a pod like the step's. A try of the
    step that finds its Experiment under way waits for that one.

    Args:
        settings: The seed, the size of the search, and the settings that are not searched.
        dataset_uri: Folder of the merge step, in object storage.
        model_uri: The model folder for which the search is.
        cluster: The namespace.
        pod: The pod of the step.

    Returns:
        The best settings, and all trials.

    Raises:
        InputError: If the data set is not in object storage.
        ClusterError: If the API server refuses a request, or stays away.
        WorkError: If too many trials fail.
    """
    node = pod.node(settings)
    space = space_for(settings, node.gpus)
    name = work_name("search", model_uri)
    plan = katib.Plan(trials=settings.search_trials, parallel=settings.search_parallel)
    manifest = katib.experiment(
        name, settings, space, pod.image, dataset_uri, plan, node, pod.access
    )
    Job(cluster, _KIND, manifest, pod).run()
    listed = cluster.objects(TRIALS, f"{_EXPERIMENT}={name}")
    trials = [_trial(number, each, space) for number, each in enumerate(_in_turn(listed), start=1)]
    scored = [each for each in trials if each.macro_f1 is not None]
    if not scored:
        rule = "ended without a trial that has a score"
        raise WorkError(f"Experiment {name}", rule, "See the log above")
    best = max(scored, key=lambda each: each.macro_f1 or 0.0)
    _log.info("search: best %.4f in trial %d of %d", best.macro_f1, best.number, len(trials))
    return with_values(settings, best.settings), trials


def space_for(settings: TrainSettings, gpus: int) -> list[Parameter]:
    """Read the space of a search, each of whose values fits the training that follows.

    Args:
        settings: How to train, with the number of nodes.
        gpus: GPUs of each node.

    Raises:
        InputError: If the settings refuse a value, such as a batch that all processes cannot share.
    """
    processes = settings.processes or max(gpus, 1)
    return read_space(str(SPACE), replace(settings, processes=processes))


def _progress(experiment: Mapping[str, Any]) -> str:
    status = experiment.get("status") or {}
    ended = status.get("trialsSucceeded", 0), status.get("trialsFailed", 0)
    wanted = experiment["spec"].get("maxTrialCount", 0)
    return f"{ended[0]} of {wanted} trials have a score, {ended[1]} failed" if any(ended) else ""


_KIND = JobKind(
    EXPERIMENTS,
    _EXPERIMENT,
    # Katib's sidecar has the trial's output, of which the trial's own container keeps nothing.
    container="metrics-logger-and-collector",
    complete=_SUCCEEDED,
    followed=None,
    progress=_progress,
)


def _in_turn(trials: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    names = ("creationTimestamp", "name")
    return sorted(trials, key=lambda each: [each["metadata"][name] for name in names])


def _trial(number: int, trial: Mapping[str, Any], space: Sequence[Parameter]) -> Trial:
    """Read a trial, whose values are texts; one that has failed has no score."""
    given = {each["name"]: each["value"] for each in trial["spec"]["parameterAssignments"]}
    known = read_assignments([f"{each.name}={given[each.name]}" for each in space])
    status = trial.get("status") or {}
    true = {each["type"] for each in status.get("conditions") or () if each["status"] == "True"}
    metrics = (status.get("observation") or {}).get("metrics") or ()
    # Of a trial that has failed Katib may say that they are "unavailable".
    known_metrics = metrics if _SUCCEEDED in true else ()
    scores = [float(each["latest"]) for each in known_metrics if each["name"] == METRIC]
    return Trial(number, scores[0] if scores else None, known)
