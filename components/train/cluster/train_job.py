"""The Kubeflow Trainer TrainJob that trains on several nodes of a cluster.

It runs `python -m components.train` under torchrun, which learns the number of nodes and the
address of the first one from PET_ variables of Trainer. Account, security and volumes of its pods,
and how often they may start again, are those of the namespace's TrainingRuntime `emotion-pipeline`
(manifests/examples/training-runtime.yaml), which every release of Trainer since 2.0 takes as it
is. Checkpoints are copied to `OUTPUT.checkpoints`, where the pods of a later try find them, unless
the settings name another place.

Source: https://www.kubeflow.org/docs/components/trainer/
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from components.artifacts.jobs import TRAIN_JOBS
from components.errors import InputError
from components.train.cluster import pods
from components.train.settings import (
    TrainSettings,
    changed_settings,
    on_one_node,
    to_arguments,
)

RUNTIMES = (*TRAIN_JOBS[:2], "trainingruntimes")
API_VERSION = "/".join(TRAIN_JOBS[:2])
RUNTIME = "emotion-pipeline"
"""Name of the TrainingRuntime."""
_WORKERS_GRACE_SECONDS = pods.GRACE_SECONDS - 15


def train_job(
    name: str,
    settings: TrainSettings,
    image: str,
    dataset_uri: str,
    output_uri: str,
    resources: pods.PodResources,
    environment: Sequence[Mapping[str, Any]],
    further: Sequence[str] = (),
) -> dict[str, Any]:
    """Build the manifest, ready to be written as YAML.

    Args:
        name: Name of the job.
        settings: How to train, and the number of nodes; `batch_size` counts the texts of all of
            them together; without `processes` each node runs one per GPU.
        image: Container image of the train step.
        dataset_uri: Folder of the merge step, in object storage.
        output_uri: Model folder to write, in object storage.
        resources: Resources of each pod.
        environment: Variables of the pods' containers, as Kubernetes has them.
        further: Further arguments of the train step.

    Raises:
        InputError: If the batch cannot be shared evenly, or a folder is not in object storage.
    """
    _require_possible(settings, (dataset_uri, output_uri))
    arguments = [f"--dataset={dataset_uri}", f"--output={output_uri}"]
    arguments += [f"--checkpoints={pods.SCRATCH}/checkpoints"]
    arguments += further
    arguments += to_arguments(changed_settings(on_one_node(settings)))
    return {
        "apiVersion": API_VERSION,
        "kind": "TrainJob",
        "metadata": {"name": name},
        "spec": job_spec(settings, image, arguments, resources, environment),
    }


def job_spec(
    settings: TrainSettings,
    image: str,
    arguments: Sequence[str],
    resources: pods.PodResources,
    environment: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Build the specification of a TrainJob.

    Args:
        settings: The settings of the training, and the number of nodes.
        image: Container image of the train step.
        arguments: Arguments of the train step.
        resources: Resources of each pod.
        environment: Variables of the pods' containers, as Kubernetes has them.

    Raises:
        InputError: If the batch cannot be shared evenly.
    """
    processes = settings.processes or max(resources.gpus, 1)
    # The settings refuse a batch that the processes of all nodes cannot share evenly.
    replace(settings, processes=processes)
    return {
        "runtimeRef": {
            "apiGroup": TRAIN_JOBS[0],
            "kind": "TrainingRuntime",
            "name": RUNTIME,
        },
        "trainer": {
            "image": image,
            "numNodes": settings.nodes,
            "numProcPerNode": processes,
            "resourcesPerNode": resources.to_manifest(),
            "command": ["python", "-m", "torch.distributed.run"],
            "args": [
                f"--shutdown-timeout={_WORKERS_GRACE_SECONDS}",
                *("-m", "components.train"),
                *arguments,
            ],
            "env": [*environment],
        },
    }


def _require_possible(settings: TrainSettings, uris: Iterable[str]) -> None:
    if settings.search_trials or settings.ablation:
        rule = "does not apply to a TrainJob, which trains once"
        raise InputError("search_trials or ablation", rule, "Leave it out")
    for uri in uris:
        pods.require_reachable(uri)
