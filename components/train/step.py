"""The train step: a search and a training, each in the step's own pod or in others."""

from dataclasses import dataclass, replace
from pathlib import Path

from components import storage
from components.artifacts.model.history import TRIALS_FILE, History, write_trials
from components.errors import InputError
from components.train.cluster.api import StepCluster, of_pod
from components.train.cluster.nodes import Places, train_on_nodes
from components.train.cluster.search import search_on_cluster
from components.train.cluster.step_pod import StepPod
from components.train.settings import TrainSettings


@dataclass(frozen=True)
class Artifact:
    """An artifact of the step.

    Args:
        path: Where it is in the step's pod.
        uri: Where it is in the pipeline's store.
    """

    path: Path
    uri: str


@dataclass(frozen=True)
class Artifacts:
    """What the step reads and writes.

    Args:
        dataset: Folder of the merge step.
        model: The model folder to write.
        real_only: The model folder of a second training without synthetic rows.
        checkpoints: What a killed step resumes from.
    """

    dataset: Artifact
    model: Artifact
    real_only: Artifact
    checkpoints: Artifact

    @property
    def places(self) -> Places:
        """Where they are in object storage.

        Raises:
            InputError: If one of them is not there.
        """
        every = (self.dataset, self.model, self.real_only, self.checkpoints)
        return Places(*(each.uri for each in every))


def train_step(
    settings: TrainSettings,
    artifacts: Artifacts,
    pod_name: str = "",
    cluster: StepCluster | None = None,
) -> History:
    """Search for settings if they ask for it, and train, each where they say.

    Args:
        settings: How to train.
        artifacts: What is read and written.
        pod_name: Name of the step's pod; empty if the step is none.
        cluster: The namespace; None connects as the account of the pod.

    Returns:
        The measurements of the (first) training.

    Raises:
        InputError: If the input cannot be used, or other pods are wanted where there are none.
        ClusterError: If the API server refuses a request, or stays away.
        WorkError: If a training fails.
    """
    if settings.nodes == settings.search_parallel == 1:
        return _train_here(settings, artifacts)
    if not pod_name:
        wanted = f"train_nodes={settings.nodes}, train_search_parallel={settings.search_parallel}"
        rule = "trains in pods of a cluster, and this step is in none"
        fix = "Run the pipeline on Kubeflow, or set train_options.processes"
        raise InputError(wanted, rule, fix)
    places, cluster = artifacts.places, cluster or of_pod()
    pod = StepPod(cluster.pod(pod_name))
    trials = artifacts.checkpoints.path / TRIALS_FILE
    if settings.search_parallel > 1:
        settings, found = search_on_cluster(settings, places.dataset, places.model, cluster, pod)
        settings = replace(settings, search_trials=0, search_parallel=1)
        trials.parent.mkdir(parents=True, exist_ok=True)
        write_trials(found, trials)
    if settings.nodes == 1:
        return _train_here(settings, artifacts, trials if trials.exists() else None)
    trials_uri = f"{places.checkpoints}/{TRIALS_FILE}" if trials.exists() else ""
    if trials_uri:
        storage.upload(storage.open_store(places.checkpoints), trials.parent, [TRIALS_FILE])
    return train_on_nodes(settings, places, cluster, pod, trials_uri)


def _train_here(
    settings: TrainSettings, artifacts: Artifacts, trials: Path | None = None
) -> History:
    # torch takes seconds to import.
    from components.train.run import train

    return train(
        settings,
        artifacts.dataset.path,
        artifacts.model.path,
        artifacts.real_only.path,
        artifacts.checkpoints.path,
        artifacts.checkpoints.uri,
        trials,
    )
