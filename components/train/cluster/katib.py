"""The Katib Experiment that searches on a cluster, with one Job per trial.

A trial prints its score as a line `name=value`, which Katib's sidecar finds in the output. Katib
adds the sidecar in namespaces with the label of manifests/base/namespace.yaml, and gives it the
security context of the trial's container if manifests/examples/katib-config.yaml is in force.

Source: https://www.kubeflow.org/docs/components/katib/user-guides/hp-tuning/configure-experiment/
"""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from components.errors import InputError
from components.train.cluster import pods
from components.train.cluster.plan import SearchPlan, trial_arguments
from components.train.search.space import METRIC, Parameter
from components.train.settings import TrainSettings

_CONTAINER = "train"
_TYPES = {"float": "double", "int": "int", "categorical": "categorical"}


@dataclass(frozen=True)
class Plan(SearchPlan):
    """Size and algorithm of a search by Katib."""

    ALGORITHMS: ClassVar[Sequence[str]] = ("tpe", "random")

    algorithm: str = "tpe"


def experiment(
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
        name: Name of the experiment.
        settings: The settings that are not searched.
        space: The settings that are searched.
        image: Container image of the train step; it must hold a shell, with which Katib wraps
            the command.
        dataset_uri: Folder of the merge step, in object storage.
        plan: Size and algorithm of the search.
        resources: Resources of each trial.
        access: Account of the trials, and their way to object storage.

    Raises:
        InputError: If the folder is not in object storage, or a choice is no plain word.
    """
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": {
            "objective": {"type": "maximize", "objectiveMetricName": METRIC},
            "algorithm": {
                "algorithmName": plan.algorithm,
                "algorithmSettings": [{"name": "random_state", "value": str(settings.seed)}],
            },
            "maxTrialCount": plan.trials,
            "parallelTrialCount": plan.parallel,
            # At this many failed trials Katib ends the search: it may lose a quarter of them.
            "maxFailedTrialCount": plan.trials // 4 + 1,
            "parameters": [_parameter(each) for each in space],
            "metricsCollectorSpec": {"collector": {"kind": "StdOut"}},
            "trialTemplate": {
                # Katib would delete a trial that has failed at once, and what its log says with it.
                "retain": True,
                "primaryContainerName": _CONTAINER,
                "trialParameters": [{"name": each.name, "reference": each.name} for each in space],
                "trialSpec": _job(settings, space, image, dataset_uri, resources, access),
            },
        },
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    if parameter.kind == "categorical":
        words = [_word(parameter.name, each) for each in parameter.choices]
        space: dict[str, Any] = {"list": words}
    else:
        texts = parameter.texts()
        distribution = "logUniform" if parameter.log else "uniform"
        space = {"min": texts[0], "max": texts[1], "distribution": distribution}
    return {
        "name": parameter.name,
        "parameterType": _TYPES[parameter.kind],
        "feasibleSpace": space,
    }


def _word(name: str, choice: Any) -> str:
    """Write a choice for the JSON and the shell that Katib puts it in as it is."""
    text = choice if isinstance(choice, str) else json.dumps(choice)
    if shlex.quote(text) != text:
        rule = "is no word that Katib hands on as it stands"
        fix = "Use letters, digits and any of @%+=:,./-_ only"
        raise InputError(f"search space: {name}: choice {text!r}", rule, fix)
    return text


def _job(
    settings: TrainSettings,
    space: Sequence[Parameter],
    image: str,
    dataset_uri: str,
    resources: pods.PodResources,
    access: pods.Access,
) -> dict[str, Any]:
    container = {
        **pods.container(_CONTAINER),
        "image": image,
        "command": ["python", "-m", "components.train"],
        "args": trial_arguments(
            settings, space, dataset_uri, lambda each: f"${{trialParameters.{each.name}}}"
        ),
        "env": access.environment(),
        "resources": resources.to_manifest(),
    }
    pod = {
        # The mesh's sidecar would outlive training, and the Job would never complete.
        "metadata": {
            "annotations": {"sidecar.istio.io/inject": "false"},
            "labels": {pods.LABEL: "trial"},
        },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            **pods.pod(container, access),
        },
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "spec": {"backoffLimit": 1, "template": pod}}
