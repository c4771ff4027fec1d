"""How a run ended is read from its Workflow, never from KFP's metadata store."""

import base64
import gzip
import json

import pytest
from kubernetes import client

from components.artifacts.remarks import remark
from components.errors import ClusterError
from components.outcome.cluster import RunCluster
from components.outcome.ending import NOT_DEPLOYED, Ending, ending_on_cluster, read_ending
from components.outcome.workflow import Workflow
from tests.fakes.argo_run import (
    DRIVER_LOG,
    ERROR,
    LAUNCHER_LOG,
    SCOPE,
    STEP_LOG,
    ArgoRun,
    cluster_of,
)


def ending(run, settle_seconds=0.05):
    configuration = client.Configuration()
    with cluster_of(run) as configuration.host:
        configuration.retries = False
        cluster = RunCluster(client.ApiClient(configuration), run.namespace)
        return read_ending(cluster, run.name, SCOPE, settle_seconds)


@pytest.fixture
def run():
    return ArgoRun()


def test_a_run_that_succeeded_is_recorded_as_such(run):
    run.step("train", boundaryID=run.scope("Succeeded"))
    assert ending(run).state == "SUCCEEDED"


def test_of_a_run_whose_gate_was_not_passed_it_is_said_that_nothing_was_deployed(run):
    inside = run.scope("Succeeded")
    run.step("evaluate", boundaryID=inside)
    assert ending(run) == Ending("SUCCEEDED", error=NOT_DEPLOYED)
    run.step("deploy", boundaryID=inside)
    assert ending(run) == Ending("SUCCEEDED")


def test_what_the_deploy_step_could_not_do_is_said_of_a_run_that_succeeded(run):
    inside = run.scope("Succeeded")
    log = f"deploy: published\n{remark('deploy', 'the registry was not told')}\ndeploy: done\n"
    run.step("deploy", log=log, tries=["Failed", "Succeeded"], boundaryID=inside)
    assert ending(run) == Ending("SUCCEEDED", error="deploy: the registry was not told")


def test_the_jobs_of_a_run_that_did_not_succeed_are_ended_with_it(run):
    run.scope("Failed")
    assert ending(run).state == "FAILED"
    selector = f"workflows.argoproj.io/workflow={run.name}"
    assert run.ended == {"experiments": selector, "trainjobs": selector}


def test_the_jobs_of_a_run_that_succeeded_stay_until_it_is_deleted(run):
    run.scope("Succeeded")
    ending(run)
    assert not run.ended


@pytest.mark.parametrize("kind", ["experiments", "trainjobs"])
def test_jobs_that_may_not_be_ended_do_not_hide_how_the_run_ended(run, kind):
    run.scope("Failed")
    run.refused = {kind}
    assert ending(run).state == "FAILED"


def test_a_step_that_failed_speaks_for_itself(run):
    inside = run.scope("Failed")
    run.step("train", "Failed", STEP_LOG, message=ERROR, boundaryID=inside)
    ended = ending(run)
    assert (ended.state, ended.step) == ("FAILED", "train")
    assert ended.error == (
        "train failed: train_epochs=0: must be at least 1. Choose a number in this range."
    )


def test_a_driver_that_failed_is_told_from_its_step(run):
    run.driver("train", "Failed", DRIVER_LOG, message=ERROR, boundaryID=run.scope("Failed"))
    ended = ending(run)
    assert (ended.state, ended.step) == ("FAILED", "train")
    told = "train: KFP's driver failed: KFP driver: driver.Container(train) failed: no such input"
    assert ended.error == told


def test_a_launcher_that_failed_is_told_from_its_step(run):
    run.step("train", "Failed", LAUNCHER_LOG, message=ERROR, boundaryID=run.scope("Failed"))
    assert "train: KFP's launcher failed" in ending(run).error
    assert "AccessDenied" in ending(run).error


def test_a_pod_without_a_log_has_argo_speak_for_it(run):
    message = "Pod failed before main container starts due to ImagePullBackOff: not found"
    run.step("train", "Error", message=message, boundaryID=run.scope("Error"))
    assert ending(run).error == f"train failed without a log: {message}"


def test_a_run_that_was_ended_by_hand_is_cancelled(run):
    run.spec["activeDeadlineSeconds"] = 0
    message = "Step exceeded its deadline"
    run.step("train", "Failed", message=message, boundaryID=run.scope("Failed"))
    ended = ending(run)
    assert (ended.state, ended.step) == ("CANCELLED", "train")
    assert message in ended.error


def test_a_try_that_was_made_good_is_no_failure(run):
    run.step("train", "Succeeded", tries=["Failed", "Succeeded"], boundaryID=run.scope("Failed"))
    run.step("evaluate", "Failed", STEP_LOG, tries=["Failed", "Failed"])
    failures = Workflow(run.content()).failures()
    assert [each.step for each in failures] == ["evaluate"]


def test_what_a_repeated_try_holds_is_no_failure(run):
    first = run.add("train(0)", "DAG", "Error")
    second = run.add("train(1)", "DAG", "Failed")
    run.add("train", "Retry", "Failed", children=[first, second])
    inner = {"templateName": "system-container-impl"}
    run.add("executor", "Pod", "Error", boundaryID=first, message="pod deleted", **inner)
    run.add("executor", "Pod", "Failed", boundaryID=second, message=ERROR, **inner)
    (failure,) = Workflow(run.content()).failures()
    assert (failure.step, failure.message) == ("train", ERROR)


def test_failures_are_in_the_order_of_time(run):
    inside = run.scope("Failed")
    run.step("train", "Failed", finishedAt="2026-11-26T09:00:00Z", boundaryID=inside)
    run.step("evaluate", "Failed", finishedAt="2026-11-26T08:00:00Z", boundaryID=inside)
    assert [each.step for each in Workflow(run.content()).failures()] == ["evaluate", "train"]


def test_a_loop_s_own_driver_is_named_by_the_loop(run):
    loop = run.add("for-loop-2", "DAG", "Failed", boundaryID=run.scope("Failed"))
    branch = run.add("iteration-iterations(0:0)", "DAG", "Failed", boundaryID=loop)
    run.driver("iteration-item", "Failed", boundaryID=branch, message=ERROR)
    run.driver("iteration", "Failed", boundaryID=loop, message=ERROR)
    assert {each.step for each in Workflow(run.content()).failures()} == {"for-loop-2"}


def test_a_failure_without_a_pod_has_its_node_s_message(run):
    run.add("train", "Skipped", "Error", message="cannot resolve", boundaryID=run.scope("Error"))
    assert ending(run).error == "train failed without a log: cannot resolve"


def test_a_workflow_that_argo_has_packed_is_read(run):
    run.step("train", "Failed", STEP_LOG, boundaryID=run.scope("Failed"))
    content = run.content()
    nodes = content["status"].pop("nodes")
    packed = base64.b64encode(gzip.compress(json.dumps(nodes).encode())).decode()
    content["status"]["compressedNodes"] = packed
    assert Workflow(content).ended(SCOPE) == "FAILED"


def test_what_is_not_written_down_in_time_is_unknown(run):
    run.scope("Running")
    assert ending(run).state == "UNKNOWN"


def test_what_comes_late_is_waited_for(run, monkeypatch):
    run.scope("Running")
    states = iter(["", "SUCCEEDED", "SUCCEEDED"])
    monkeypatch.setattr(Workflow, "ended", lambda *_: next(states))
    assert ending(run).state == "SUCCEEDED"


def test_an_api_server_that_is_away_for_a_moment_is_asked_again(run, monkeypatch):
    run.scope("Succeeded")
    read = RunCluster.workflow
    answers = iter([ClusterError("workflow", "no answer", "Wait")])

    def workflow(cluster, name):
        for error in answers:
            raise error
        return read(cluster, name)

    monkeypatch.setattr(RunCluster, "workflow", workflow)
    assert ending(run).state == "SUCCEEDED"


def test_a_log_that_may_not_be_read_leaves_argo_s_words(run):
    run.refused = {"pods/log"}
    run.step("train", "Failed", message="main: OOMKilled (exit code 137)")
    run.scope("Failed")
    assert "OOMKilled" in ending(run).error


def test_a_workflow_that_may_not_be_read_is_said(run):
    run.refused = {"workflows"}
    with pytest.raises(ClusterError, match=r"is forbidden.*service-accounts"):
        ending(run)


def test_without_an_account_the_end_is_unknown(monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    ended = ending_on_cluster("emotion-x", SCOPE)
    assert ended.state == "UNKNOWN"
    assert "account in " in ended.error


def test_a_workflow_of_another_shape_leaves_the_end_unknown(run, monkeypatch):
    monkeypatch.setattr(
        "components.outcome.ending.of_pod", lambda: RunCluster(client.ApiClient(), run.namespace)
    )
    monkeypatch.setattr(RunCluster, "workflow", lambda *_: Workflow({"kind": "Status"}))
    assert ending_on_cluster(run.name, SCOPE).state == "UNKNOWN"
