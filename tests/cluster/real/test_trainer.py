"""The train step on several nodes, by Kubeflow Trainer's and JobSet's own controllers."""

import re
from dataclasses import replace
from functools import partial

import pytest
from kubernetes import client

from components.artifacts.model import bundle
from components.artifacts.model.history import read_history
from components.options import settings_of
from components.train.launch import fine_tune_in_processes
from components.train.settings import TrainSettings, on_one_node
from tests.cluster.overlays import NAMESPACE
from tests.cluster.real.site import wait_for
from tests.cluster.real.step_pod import Call
from tests.cluster.real.train_call import train_call, train_parameters
from tests.manifests.rendering import MANIFESTS

pytestmark = pytest.mark.cluster
_RUNTIME = MANIFESTS / "examples" / "training-runtime.yaml"
_JOBS = ("trainer.kubeflow.org", "v1alpha1", NAMESPACE, "trainjobs")
_JOB_SETS = ("jobset.x-k8s.io", "v1alpha2", NAMESPACE, "jobsets")
_RANK = "batch.kubernetes.io/job-completion-index"


@pytest.fixture(scope="module")
def jobs(trainer):
    """The TrainJobs' API, in a namespace with the shipped runtime."""
    trainer.kubectl(*_apply(), f"--filename={_RUNTIME}")
    return client.CustomObjectsApi(trainer.server.api("admin"))


def _apply():
    return ["apply", "--server-side", f"--namespace={NAMESPACE}"]


@pytest.fixture
def train(everywhere, jobs, small_dataset_uri):  # noqa: ARG001
    """A call of the train step with further settings; its outputs are its own."""
    everywhere.clear()

    return partial(train_call, small_dataset_uri)


def only_job(jobs):
    """The one TrainJob that is there."""
    return wait_for(lambda: jobs.list_namespaced_custom_object(*_JOBS)["items"])[0]


def restarts(jobs, name):
    status = jobs.get_namespaced_custom_object_status(*_JOB_SETS, name).get("status", {})
    return status.get("restarts", 0)


def node_pods(site):
    """The pods of a TrainJob by rank."""
    found = site.core.list_namespaced_pod(NAMESPACE, label_selector=_RANK).items
    return {each.metadata.labels[_RANK]: each.metadata.name for each in found}


def log_of(site, pod):
    return site.core.read_namespaced_pod_log(pod, NAMESPACE)


def test_trainers_webhook_takes_the_shipped_runtime(trainer):
    trainer.kubectl(*_apply(), "--dry-run=server", f"--filename={_RUNTIME}")


def test_preflight_finds_trainer_with_the_account_of_its_pod(everywhere, jobs):  # noqa: ARG001
    everywhere.clear()
    image = everywhere.pipeline.serve_image
    more = {"run_id": "run", "gpu": {}, "serve_image": image}
    done = everywhere.run(Call("preflight", {**train_parameters(), **more}, {}, {}))
    assert done.succeeded, done.log
    assert "pods to train in" in done.log


def test_two_nodes_score_as_two_processes_do(everywhere, jobs, train, small_dataset, tmp_path):
    call = train()
    done = everywhere.run(call)
    assert done.succeeded, done.log
    assert "train: started TrainJob" in done.log
    # The log of the first node is the step's progress.
    assert re.search(r"^train: \d+ rows, ", done.log, re.MULTILINE), done.log
    name = only_job(jobs)["metadata"]["name"]
    assert restarts(jobs, name) == 0
    everywhere.files.get(call.outputs["model"], str(tmp_path / "model"), recursive=True)
    bundle.verify(tmp_path / "model")
    settings = on_one_node(settings_of(TrainSettings, **call.parameters))
    alone = fine_tune_in_processes(
        replace(settings, processes=2), small_dataset, tmp_path / "alone", tmp_path / "checkpoints"
    )
    scores = read_history(tmp_path / "model").validation
    assert scores == [pytest.approx(each, abs=0.02) for each in alone.validation]


def test_a_lost_pod_starts_both_again_where_they_left_off(everywhere, jobs, train):
    call = train("train_epochs=12", "train_options.checkpoint_steps=2")
    step = everywhere.start(call)
    name = only_job(jobs)["metadata"]["name"]
    # It is written last, when the checkpoint is whole.
    whole = f"{call.outputs['checkpoints']}/*/checkpoint-*/{bundle.MANIFEST}"
    wait_for(lambda: everywhere.found(whole))
    everywhere.core.delete_namespaced_pod(node_pods(everywhere)["1"], NAMESPACE)
    done = everywhere.end_of(step)
    assert done.succeeded, done.log
    assert restarts(jobs, name) == 1
    assert "train: resuming from" in done.log


def test_a_step_that_is_killed_takes_its_job_along(everywhere, jobs, train):
    step = everywhere.start(train("train_epochs=100"))
    only_job(jobs)
    wait_for(lambda: len(node_pods(everywhere)) == 2)
    everywhere.core.delete_namespaced_pod(step, NAMESPACE, grace_period_seconds=0)
    wait_for(lambda: not jobs.list_namespaced_custom_object(*_JOBS)["items"])
    wait_for(lambda: not node_pods(everywhere))


def test_a_failure_is_that_of_the_pod_that_failed(everywhere, train):
    done = everywhere.run(train("train_options.target_modules=[none]"))
    assert not done.succeeded
    last = done.log.strip().splitlines()[-1]
    assert "WorkError: TrainJob train-" in last, done.log
    assert "target_modules" in last, done.log
