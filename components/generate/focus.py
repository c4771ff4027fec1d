"""The evaluation whose mistakes a run aims at; preflight reads it too."""

import logging

from components.artifacts.evaluation import Evaluation, read_evaluation
from components.artifacts.registry import evaluation_of_champion
from components.artifacts.task import Task
from components.errors import InputError

REGISTRY = "registry:"
"""Begins a `focus` that is the evaluation of a registry's champion."""

_log = logging.getLogger(__name__)


def read_focus(reference: str, task: Task) -> Evaluation | None:
    """Read the evaluation whose mistakes are aimed at.

    Args:
        reference: Path or URI of an evaluation; or `registry:` and that of a registry, whose
            champion's it is.
        task: Its labels are confused.

    Returns:
        The evaluation; None if the registry has no champion of this task yet, or did not keep how
        it was evaluated.

    Raises:
        InputError: If the evaluation is missing, malformed, or of other labels.
    """
    registry = reference.removeprefix(REGISTRY)
    if registry != reference:
        return _of_champion(registry, task)
    evaluation = read_evaluation(reference)
    if evaluation.labels == task.names:
        return evaluation
    rule = f"is of the labels {', '.join(evaluation.labels)}"
    fix = f"Give the evaluation of a run of the task {task.name}"
    raise InputError(f"focus={reference!r}", rule, fix)


def _of_champion(registry: str, task: Task) -> Evaluation | None:
    """Read how the champion was evaluated, unless by other labels or an earlier version."""
    try:
        evaluation = evaluation_of_champion(registry)
    except InputError as error:
        _log.warning("generate: the champion's evaluation is not aimed at: %s", error)
        return None
    if evaluation is None or evaluation.labels != task.names:
        _log.info("generate: %s has no evaluated champion of this task to aim at", registry)
        return None
    return evaluation
