"""Training on several nodes: a TrainJob of Kubeflow Trainer for each model, made by the step."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components import storage
from components.artifacts.model import bundle
from components.artifacts.model.history import HISTORY_FILE, History, read_history
from components.errors import InputError, WorkError
from components.train.cluster import pods
from components.train.cluster.api import StepCluster, of_pod
from components.train.cluster.job import Job
from components.train.cluster.step_pod import StepPod
from components.train.cluster.train_job import TRAIN_JOBS, train_job
from components.train.settings import TrainSettings

_QUEUE = "kueue.x-k8s.io/queue-name"
_PODS = "jobset.sigs.k8s.io/jobset-name"
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
    settings: TrainSettings, places: Places, pod_name: str, cluster: StepCluster | None = None
) -> History:
    """Train in `settings.nodes` pods, each with the image, variables and resources of the step's.

    The model is written to its place by the pods themselves. A try that finds it there, or its job
    under way, does not train again.

    Args:
        settings: How to train.
        places: Where to read and write.
        pod_name: Name of the step's pod; empty if the step is none.
        cluster: The namespace; None connects as the account of the pod.

    Returns:
        The measurements of the (first) training.

    Raises:
        InputError: If this is no pod, or a place or the batch does not fit several nodes.
        ClusterError: If the API server refuses a request, or stays away.
        WorkError: If the training fails.
    """
    if not pod_name:
        rule = "trains in pods of a cluster, and this step is in none"
        fix = "Run the pipeline on Kubeflow, or set train_options.processes"
        raise InputError(f"train_nodes={settings.nodes}", rule, fix)
    cluster = cluster or of_pod()
    pod = StepPod(cluster.pod(pod_name))
    copied = replace(settings, checkpoint_uri=settings.checkpoint_uri or places.checkpoints)
    history = _trained(cluster, pod, copied, places.dataset, places.model)
    if settings.ablation:
        _trained(cluster, pod, copied, places.dataset, places.real_only, real_only=True)
    return history


def _trained(
    cluster: StepCluster,
    pod: StepPod,
    settings: TrainSettings,
    dataset: str,
    output: str,
    *,
    real_only: bool = False,
) -> History:
    if storage.open_store(output).read(bundle.MANIFEST)[0]:
        _log.info("train: an earlier try has written %s", output)
        return _history_at(output)
    manifest: dict[str, Any] = train_job(
        _name_for(output),
        replace(settings, ablation=False),
        pod.image,
        dataset,
        output,
        pod.node(settings),
        pod.environment,
        real_only=real_only,
    )
    labels: Mapping[str, str] = {_QUEUE: settings.queue} if settings.queue else {}
    manifest["metadata"]["labels"] = labels
    Job(cluster, TRAIN_JOBS, manifest, pod, _PODS).run()
    return _history_at(output)


def _name_for(output: str) -> str:
    """A name that every try of this training makes, and no other."""
    return f"train-{hashlib.sha256(output.encode()).hexdigest():.12}"


def _history_at(output: str) -> History:
    content = storage.open_store(output).read(HISTORY_FILE)[0]
    if not content:
        fix = "Look at the pods' logs, and start the run again"
        raise WorkError(output, f"has no {HISTORY_FILE}, though its training ended", fix)
    with TemporaryDirectory() as folder:
        (Path(folder) / HISTORY_FILE).write_bytes(content)
        return read_history(Path(folder))
