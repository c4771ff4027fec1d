"""The exit handler believes KFP's word on a laptop, and its own eyes on a cluster."""

import json
from types import SimpleNamespace

import pytest
from kfp.dsl import PipelineTaskFinalStatus
from kubernetes import client

from components.outcome.cluster import RunCluster
from components.outcome.component import outcome
from tests.fakes.argo_run import SCOPE, STEP_LOG, ArgoRun, cluster_of


@pytest.fixture
def recorded(tmp_path):
    """Run the step with a status from KFP; gives its record."""

    def record(state, workflow):
        status = PipelineTaskFinalStatus(
            state=state,
            pipeline_job_resource_name=workflow,
            pipeline_task_name=SCOPE,
            error_code=None,
            error_message=None,
        )
        path = tmp_path / "outcome.json"
        kept = SimpleNamespace(path=str(path))
        outcome.python_func(status, kept, pipeline="emotion", run_id="run-7", deploy_registry="")
        return json.loads(path.read_text())

    return record


def test_a_local_run_ended_as_kfp_says(recorded, monkeypatch):
    monkeypatch.delenv("KFP_POD_NAME", raising=False)
    assert recorded("FAILED", "emotion-local")["state"] == "FAILED"


def test_on_a_cluster_kfp_s_word_does_not_count(recorded, monkeypatch):
    run = ArgoRun()
    run.step("train", "Failed", STEP_LOG, boundaryID=run.scope("Failed"))
    configuration = client.Configuration()
    monkeypatch.setenv("KFP_POD_NAME", "a-pod")
    with cluster_of(run) as configuration.host:
        cluster = RunCluster(client.ApiClient(configuration), run.namespace)
        monkeypatch.setattr("components.outcome.ending.of_pod", lambda: cluster)
        record = recorded("RUNNING", run.name)
    assert (record["state"], record["step"]) == ("FAILED", "train")
    assert "train_epochs=0" in record["error"]


def test_on_a_cluster_that_says_nothing_the_end_is_unknown(recorded, monkeypatch):
    monkeypatch.setenv("KFP_POD_NAME", "a-pod")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert recorded("RUNNING", "emotion-x")["state"] == "UNKNOWN"
