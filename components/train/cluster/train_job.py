"""The Kubeflow Trainer TrainJob that trains on several nodes of a cluster.

It runs `python -m components.train` under torchrun, which learns the number of nodes and the
address of the first one from PET_ variables of the runtime `torch-distributed`. Checkpoints are
copied to `OUTPUT.checkpoints`, where the pods of a later try find them, unless the settings name
another place.

Source: https://www.kubeflow.org/docs/components/trainer/
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from components.errors import InputError, require_between
from components.train.cluster import pods
from components.train.settings import TrainSettings, changed_settings, to_arguments

API_VERSION = "trainer.kubeflow.org/v1alpha1"
_RUNTIME = "torch-distributed"
# Names of the only job of the runtime and of its container.
_JOB = _CONTAINER = "node"
_WORKERS_GRACE_SECONDS = pods.GRACE_SECONDS - 15


def train_job(
    name: str,
    settings: TrainSettings,
    image: str,
    dataset_uri: str,
    output_uri: str,
    nodes: int,
    resources: pods.PodResources,
    access: pods.Access,
) -> dict[str, Any]:
    """Build the manifest, ready to be written as YAML.

    Args:
        name: Name of the job.
        settings: How to train; `batch_size` counts the texts of all nodes together; without
            `processes` each node runs one per GPU.
        image: Container image of the train step.
        dataset_uri: Folder of the merge step, in object storage.
        output_uri: Model folder to write, in object storage.
        nodes: Number of pods.
        resources: Resources of each pod.
        access: Account of the pods, and their way to object storage.

    Raises:
        InputError: If the batch cannot be shared evenly, or a folder is not in object storage.
    """
    _require_possible(settings, nodes, (dataset_uri, output_uri))
    arguments = [f"--dataset={dataset_uri}", f"--output={output_uri}"]
    arguments += [f"--checkpoints={pods.SCRATCH}/checkpoints"]
    arguments += to_arguments(changed_settings(settings))
    return {
        "apiVersion": API_VERSION,
        "kind": "TrainJob",
        "metadata": {"name": name},
        "spec": job_spec(settings, image, arguments, nodes, resources, access, "train-job"),
    }


def job_spec(
    settings: TrainSettings,
    image: str,
    arguments: Sequence[str],
    nodes: int,
    resources: pods.PodResources,
    access: pods.Access,
    kind: str,
) -> dict[str, Any]:
    """Build the specification of a TrainJob.

    Args:
        settings: The settings of the training.
        image: Container image of the train step.
        arguments: Arguments of the train step.
        nodes: Number of pods.
        resources: Resources of each pod.
        access: Account of the pods, and their way to object storage.
        kind: The kind of training, by which network policies know its pods.

    Raises:
        InputError: If the batch cannot be shared evenly.
    """
    processes = settings.processes or max(resources.gpus, 1)
    # The settings refuse a batch that the processes of all nodes cannot share evenly.
    replace(settings, processes=processes * nodes)
    return {
        "runtimeRef": {"name": _RUNTIME},
        "trainer": {
            "image": image,
            "numNodes": nodes,
            "numProcPerNode": processes,
            "resourcesPerNode": resources.to_manifest(),
            "command": ["python", "-m", "torch.distributed.run"],
            "args": [
                f"--shutdown-timeout={_WORKERS_GRACE_SECONDS}",
                *("-m", "components.train"),
                *arguments,
            ],
            "env": access.environment(),
        },
        "runtimePatches": [_hardening(access, kind)],
    }


def _require_possible(settings: TrainSettings, nodes: int, uris: Iterable[str]) -> None:
    require_between("nodes", nodes, 1)
    if settings.search_trials or settings.ablation:
        rule = "does not apply to a TrainJob, which trains once"
        raise InputError("search_trials or ablation", rule, "Leave it out")
    for uri in uris:
        pods.require_reachable(uri)


def _hardening(access: pods.Access, kind: str) -> dict[str, Any]:
    pod = {
        **pods.pod(pods.container(_CONTAINER), access),
        "terminationGracePeriodSeconds": pods.GRACE_SECONDS,
    }
    template = {"metadata": {"labels": {pods.LABEL: kind}}, "spec": pod}
    job = {"name": _JOB, "template": {"spec": {"template": template}}}
    return {
        "manager": "emotion-pipeline",
        "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [job]}}},
    }
