"""A run is watched to its end: pods that wait are named, and so is what failed, and why."""

from datetime import UTC, datetime, timedelta

import pytest
from kfp import Client
from kfp_server_api import V2beta1Run
from kubernetes import client as kubernetes

from components.errors import InputError
from components.outcome.cluster import RunCluster, of_kubeconfig
from pipelines.submit.observed import ObservedRun
from pipelines.submit.watch import failures, watch
from tests.fakes.argo_run import (
    DRIVER_LOG,
    ERROR,
    SCOPE,
    STEP_LOG,
    ArgoRun,
    cluster_of,
    event,
)
from tests.fakes.kfp_api import FakeKfp, serving

MOUNT = 'MountVolume.SetUp failed for volume "s3": secret "mlpipeline-minio-artifact" not found'
LONG_AGO = "2026-11-26T08:00:00Z"

pytestmark = pytest.mark.filterwarnings("ignore:This client only works:FutureWarning")


def nowhere(namespace):
    raise InputError("kubeconfig", "cannot be used", f"Set KUBECONFIG, for {namespace}")


@pytest.fixture
def kfp():
    """A server with one run that is under way."""
    fake = FakeKfp()
    fake.runs.append(V2beta1Run(run_id="run-1", display_name="a run"))
    fake.argo = ArgoRun()
    return fake


@pytest.fixture
def observed(kfp):
    """The run, without a cluster to ask."""
    with serving(kfp) as url:
        yield ObservedRun(Client(host=url), "run-1", nowhere)


@pytest.fixture
def seen(kfp):
    """The run, with the cluster that it is in."""
    configuration = kubernetes.Configuration()
    configuration.retries = False
    with serving(kfp) as url, cluster_of(kfp.argo) as configuration.host:
        api = kubernetes.ApiClient(configuration)
        yield ObservedRun(Client(host=url), "run-1", lambda namespace: RunCluster(api, namespace))


def watched(observed, hours=0.01):
    lines = []
    return watch(observed, hours, lines.append, poll_seconds=0.01), lines


def waiting(kfp):
    """A run whose pod of train waits for two looks, and then runs; gives the pod."""
    kfp.steps = ["PENDING", "PENDING", "SUCCEEDED"]
    kfp.started = datetime.now(UTC) - timedelta(minutes=2)
    return kfp.argo.step("train", "Pending", startedAt=LONG_AGO, message="PodInitializing")


def test_an_outage_of_the_server_does_not_end_the_watch(kfp, observed):
    kfp.outages = 3
    assert watched(observed)[0].state == "SUCCEEDED"


def test_a_run_that_does_not_end_in_time_is_named(kfp, observed):
    kfp.steps = ["RUNNING"]
    with pytest.raises(InputError, match="run-1: has not ended"):
        watched(observed, hours=0.00002)


def test_a_pod_that_waits_is_named_once_with_the_reason_of_its_events(kfp, seen):
    pod = waiting(kfp)
    pulled = event("Normal", "Pulled", "already present")
    kfp.argo.events[pod] = [*[event("Warning", "FailedMount", MOUNT)] * 2, pulled]
    run, lines = watched(seen)
    assert run.state == "SUCCEEDED"
    head = f"train: pod {pod} has been waiting for more than a minute"
    assert [line for line in lines if pod in line] == [
        f"{head}: PodInitializing; FailedMount: {MOUNT}"
    ]


def test_another_reason_is_said_as_well(kfp, seen):
    pod = waiting(kfp)
    kfp.steps = ["PENDING", "PENDING", "PENDING", "SUCCEEDED"]
    said = []

    def say(line):
        said.append(line)
        kfp.argo.events[pod] = [event("Warning", "Failed", "Error: ImagePullBackOff")]

    watch(seen, 0.01, say, poll_seconds=0.01)
    assert sum(pod in line for line in said) == 2
    assert "ImagePullBackOff" in said[-2]


def test_without_a_warning_the_last_event_is_said(kfp, seen):
    pod = waiting(kfp)
    kfp.argo.events[pod] = [
        event("Normal", "Scheduled", "to node"),
        event("Normal", "Pulling", "Pulling image train"),
    ]
    (said,) = [line for line in watched(seen)[1] if pod in line]
    assert said.endswith("PodInitializing; Pulling: Pulling image train")


def test_a_pod_that_has_just_come_is_given_time(kfp, seen):
    pod = waiting(kfp)
    kfp.argo.nodes = {
        name: {**node, "startedAt": datetime.now(UTC).isoformat()}
        for name, node in kfp.argo.nodes.items()
    }
    assert not [line for line in watched(seen)[1] if pod in line]


def test_without_a_cluster_it_is_named_and_that_is_said_once(kfp, observed):
    pod = waiting(kfp)
    run, lines = watched(observed)
    assert run.state == "SUCCEEDED"
    assert [line for line in lines if pod in line] == [
        f"train: pod {pod} has been waiting for more than a minute: PodInitializing"
    ]
    assert sum("cannot be read from here: kubeconfig" in line for line in lines) == 1


def test_a_cluster_that_refuses_does_not_end_the_watch(kfp, seen):
    waiting(kfp)
    kfp.argo.refused = {"events"}
    run, lines = watched(seen)
    assert run.state == "SUCCEEDED"
    assert sum("is forbidden" in line for line in lines) == 1


def test_a_workflow_that_argo_has_not_begun_is_no_trouble(kfp, observed):
    waiting(kfp)
    kfp.argo.nodes.clear()
    _, lines = watched(observed)
    assert not [line for line in lines if "cannot" in line]


def test_a_kfp_without_its_older_api_does_not_end_the_watch(kfp, observed):
    waiting(kfp)
    kfp.argo = None
    run, lines = watched(observed)
    assert run.state == "SUCCEEDED"
    assert lines.count("pods that wait cannot be looked at from here: 404 NOT FOUND") == 1


@pytest.mark.parametrize(
    "answer", [[], [1], 3, "", {}, {"pipeline_runtime": None}, {"pipeline_runtime": []}]
)
def test_an_older_api_that_answers_something_else_is_said(kfp, monkeypatch, answer):
    monkeypatch.setattr(kfp, "get_old_run", lambda **_: answer)
    waiting(kfp)
    with serving(kfp) as url:
        run, lines = watched(ObservedRun(Client(host=url), "run-1", nowhere))
    assert run.state == "SUCCEEDED"
    said = "pods that wait cannot be looked at from here: ValueError: there is no Workflow in"
    assert sum(line.startswith(said) for line in lines) == 1


@pytest.mark.parametrize("end", ["CANCELED", "FAILED", "SKIPPED"])
def test_every_end_but_success_is_a_failure(kfp, observed, end):
    kfp.steps = ["RUNNING", end]
    run, _ = watched(observed)
    assert failures(observed, run)[0] == f"run {end}"


def test_a_failed_step_is_named_with_its_own_error(kfp, observed):
    inside = kfp.argo.scope("Failed")
    kfp.argo.driver("train", boundaryID=inside)
    kfp.argo.step("train", "Failed", STEP_LOG, message=ERROR, boundaryID=inside)
    kfp.steps = ["FAILED"]
    assert failures(observed, watched(observed)[0])[1:] == [
        "train failed: train_epochs=0: must be at least 1. Choose a number in this range."
    ]


def test_a_failed_driver_is_told_from_its_step(kfp, observed):
    kfp.argo.driver("train", "Failed", DRIVER_LOG, message=ERROR)
    kfp.argo.add(SCOPE, "DAG", "Failed")
    kfp.steps = ["FAILED"]
    (told,) = failures(observed, watched(observed)[0])[1:]
    assert told.startswith("train: KFP's driver failed")
    assert told.endswith("no such input")


def test_a_log_that_kfp_has_not_is_read_in_the_cluster(kfp, seen):
    kfp.argo.step("train", "Failed", STEP_LOG, message=ERROR)
    kfp.steps = ["FAILED"]
    run, _ = watched(seen)
    kfp.argo = ArgoRun(nodes=kfp.argo.nodes)
    assert "train_epochs=0" in failures(seen, run)[1]


def test_a_kfp_without_its_older_api_leaves_the_names(kfp, observed):
    kfp.steps = ["FAILED"]
    kfp.argo = None
    assert failures(observed, watched(observed)[0]) == [
        "run FAILED; failed: train",
        "why cannot be read from here: 404 NOT FOUND",
    ]


def test_a_pod_without_any_log_leaves_argo_s_words(kfp, observed):
    message = "Pod failed before main container starts due to ErrImagePull: not found"
    kfp.argo.step("train", "Error", message=message)
    kfp.steps = ["FAILED"]
    assert failures(observed, watched(observed)[0])[1] == f"train failed without a log: {message}"


@pytest.mark.parametrize("text", ["", "a: [", "clusters: 3"])
def test_a_broken_kubeconfig_is_named_and_no_more(tmp_path, monkeypatch, text):
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    with pytest.raises(InputError, match="kubeconfig: cannot be used"):
        of_kubeconfig("emotion")


def test_a_kfp_whose_runs_have_no_task_details_is_watched_by_its_workflow(kfp, observed):
    kfp.has_task_details = False
    kfp.argo.scope("Running")
    kfp.argo.step("merge")
    pod = kfp.argo.step("train", "Pending", startedAt=LONG_AGO, message="PodInitializing")
    run, lines = watched(observed)
    assert run.state == "SUCCEEDED"
    assert lines[:2] == ["merge: succeeded", "train: running"]
    assert sum(pod in line for line in lines) == 1


def test_a_kfp_that_tells_neither_tasks_nor_workflow_is_watched_to_its_end(kfp, observed):
    kfp.has_task_details, kfp.argo = False, None
    assert watched(observed)[0].state == "SUCCEEDED"
