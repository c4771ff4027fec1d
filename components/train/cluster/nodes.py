"""Training on several nodes: a TrainJob of Kubeflow Trainer for each model, made by the step."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components import storage
from components.artifacts.jobs import TRAIN_JOBS
from components.artifacts.model import bundle
from components.artifacts.model.history import HISTORY_FILE, History, read_history
from components.errors import WorkError
from components.train.cluster import pods
from components.train.cluster.api import StepCluster
from components.train.cluster.job import Job, JobKind, work_name
from components.train.cluster.step_pod import StepPod
from components.train.cluster.train_job import train_job
from components.train.settings import TrainSettings

# The place is the step's own, and pods that start again write it again.
_REPLACE = "--replace"
_QUEUE = "kueue.x-k8s.io/queue-name"
_TRAIN_JOB = JobKind(TRAIN_JOBS, "jobset.sigs.k8s.io/jobset-name", container="node")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Places:
    """Where in object storage a training on several nodes reads and writes.

    Args:
        dataset: Folder of the merge step.
        model: The model folder to write.
        real_only: The model folder of a second training without synthetic rows.
        checkpoints: Folder that every try of this training may write to.

    Raises:
        InputError: If one of them is not in object storage.
    """

    dataset: str
    model: str
    real_only: str
    checkpoints: str

    def __post_init__(self) -> None:
        for uri in (self.dataset, self.model, self.real_only, self.checkpoints):
            pods.require_reachable(uri)


def train_on_nodes(
    settings: TrainSettings, places: Places, cluster: StepCluster, pod: StepPod, trials: str = ""
) -> History:
    """Train in `settings.nodes` pods, each with the image, variables and resources of the step's.

    The model is written to its place by the pods themselves. A try that finds it there, or its job
    under way, does not train again.

    Args:
        settings: How to train.
        places: Where to read and write.
        cluster: The namespace.
        pod: The pod of the step.
        trials: File in object storage of the search that found the settings; empty for none.

    Returns:
        The measurements of the (first) training.

    Raises:
        InputError: If the batch cannot be shared by the nodes.
        ClusterError: If the API server refuses a request, or stays away.
        WorkError: If the training fails.
    """
    copied = replace(settings, checkpoint_uri=settings.checkpoint_uri or places.checkpoints)
    once = replace(copied, ablation=False)

    def trained(output: str, further: Sequence[str]) -> History:
        name = work_name("train", output)
        is_written = storage.open_store(output).read(bundle.MANIFEST)[0]
        # Pods of a job that is there may be writing it once more.
        if is_written and not cluster.read(TRAIN_JOBS, name):
            _log.info("train: an earlier try has written %s", output)
        else:
            needs, environment = pod.node(settings), pod.environment
            arguments, data = [_REPLACE, *further], places.dataset
            manifest = train_job(name, once, pod.image, data, output, needs, environment, arguments)
            Job(cluster, _TRAIN_JOB, _in_queue(manifest, settings.queue), pod).run()
        return _history_at(output)

    history = trained(places.model, [f"--trials={trials}"] if trials else [])
    if settings.ablation:
        trained(places.real_only, ["--real-only"])
    return history


def _in_queue(manifest: Mapping[str, Any], queue: str) -> dict[str, Any]:
    labels = {_QUEUE: queue} if queue else {}
    return {**manifest, "metadata": {**manifest["metadata"], "labels": labels}}


def _history_at(output: str) -> History:
    content = storage.open_store(output).read(HISTORY_FILE)[0]
    if not content:
        fix = "Look at the pods' logs, and start the run again"
        raise WorkError(output, f"has no {HISTORY_FILE}, though its training ended", fix)
    with TemporaryDirectory() as folder:
        (Path(folder) / HISTORY_FILE).write_bytes(content)
        return read_history(Path(folder))
