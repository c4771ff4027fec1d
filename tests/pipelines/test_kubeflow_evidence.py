"""What the tests on a real Kubeflow read from a Workflow, tried on one that is put together."""

import json

from components.outcome.workflow import Workflow
from tests.fakes.argo_run import ArgoRun
from tests.kubeflow.evidence import artifacts, cached


def patched(**uris):
    """Outputs of a driver whose step writes these artifacts."""
    given = {
        "outputs": {
            "artifacts": {name: {"artifacts": [{"uri": uri}]} for name, uri in uris.items()}
        }
    }
    command = ["/kfp-launcher/launch", "--executor_input", json.dumps(given), "--pod_name", "x"]
    patch = json.dumps({"containers": [{"name": "main", "command": command}]})
    return {"parameters": [{"name": "pod-spec-patch", "value": patch}]}


def test_artifacts_are_found_by_step_and_name():
    run = ArgoRun()
    run.driver("merge", outputs=patched(merged="s3://b/merge/merged", report="s3://b/merge/report"))
    run.driver("train", outputs=patched(model="s3://b/train/model"))
    run.add("train-driver", "Retry", "Succeeded", outputs=patched(model="s3://b/train/model"))
    assert artifacts(Workflow(run.content())) == {
        ("merge", "merged"): ["s3://b/merge/merged"],
        ("merge", "report"): ["s3://b/merge/report"],
        ("train", "model"): ["s3://b/train/model"],
    }


def test_the_branches_of_a_loop_are_one_step():
    run = ArgoRun()
    for number in range(2):
        run.driver("generate", outputs=patched(synthetic=f"s3://b/{number}"))
    found = artifacts(Workflow(run.content()))
    assert found == {("generate", "synthetic"): ["s3://b/0", "s3://b/1"]}


def test_a_cached_step_has_no_pod():
    run = ArgoRun()
    run.step("train")
    dag = run.add("merge", "DAG", "Succeeded")
    message = "when 'true != true' evaluated false"
    run.add("executor", "Skipped", "Skipped", boundaryID=dag, message=message)
    run.driver("merge", outputs={"parameters": [{"name": "pod-spec-patch", "value": ""}]})
    assert cached(Workflow(run.content())) == {"merge"}
    assert artifacts(Workflow(run.content())) == {}
