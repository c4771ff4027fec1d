"""The steps of the compiled pipeline in pods, as they follow each other in a run."""

import json
import uuid

import pytest

from components.artifacts.evaluation import read_evaluation
from pipelines.parameters import read_parameters
from tests.cluster.node.object_storage import BUCKET
from tests.cluster.real.site import REGISTRY
from tests.cluster.real.step_pod import Call
from tests.images.make import TOP

pytestmark = pytest.mark.cluster
_SMOKE = TOP / "pipelines" / "params" / "smoke.yaml"


@pytest.fixture(scope="module")
def run():
    return f"run-{uuid.uuid4().hex[:6]}"


@pytest.fixture(scope="module")
def parameters(run):
    """The parameters of a run with the set `smoke` that deploys to the cluster."""
    given = read_parameters(_SMOKE, ["deploy_target=kserve", f"deploy_registry={REGISTRY}"])
    return {**given, "run_id": run}


@pytest.fixture(scope="module")
def folder(run):
    return f"s3://{BUCKET}/runs/{run}"


def test_preflight_passes_with_the_account_and_keys_of_its_pod(everywhere, parameters):
    everywhere.clear()
    more = {"gpu": {}, "serve_image": everywhere.pipeline.serve_image}
    done = everywhere.run(Call("preflight", {**parameters, **more}, {}, {}))
    assert done.succeeded, done.log
    assert done.outputs["champion_generation"] == "0"


@pytest.fixture(scope="module")
def merged(everywhere, parameters, folder, synthetic_file):
    """The data set that merge has made of a synthetic part and the sample."""
    everywhere.files.put(str(synthetic_file), f"{folder}/synthetic/{synthetic_file.name}")
    outputs = {"merged": f"{folder}/merged", "report": f"{folder}/merge-report"}
    call = Call("merge", parameters, {"synthetic": [f"{folder}/synthetic"]}, outputs)
    done = everywhere.run(call)
    assert done.succeeded, done.log
    return outputs["merged"]


def test_merge_leaves_a_data_set_in_object_storage(everywhere, merged):
    rows = json.loads(everywhere.files.cat(f"{merged}/dataset.json"))["rows"]
    assert rows["train"]["real"] > 0
    assert rows["train"]["synthetic"] > 0


def test_evaluate_measures_a_model_that_lies_there(everywhere, parameters, folder, merged):
    everywhere.files.put(str(everywhere.models["old"]), f"{folder}/model", recursive=True)
    names = ("card", "confusion", "evaluation", "report", "scores")
    outputs = {name: f"{folder}/{name}" for name in names}
    inputs = {name: f"{folder}/{name}" for name in ("model", "real_only")} | {"merged": merged}
    more = {"champion_generation": "0"}
    done = everywhere.run(Call("evaluate", {**parameters, **more}, inputs, outputs))
    assert done.succeeded, done.log
    assert 0 < read_evaluation(outputs["evaluation"]).headline["accuracy"] <= 1


def test_outcome_records_the_run_in_the_registry(everywhere, parameters, folder, run):
    status = {
        "pipelineTaskName": "exit-handler-1",
        "pipelineJobResourceName": run,
        "state": "SUCCEEDED",
        "error": {"message": ""},
    }
    given = {"pipeline": "emotion", "status": status}
    call = Call("outcome", {**parameters, **given}, {}, {"record": f"{folder}/record"})
    done = everywhere.run(call)
    assert done.succeeded, done.log
    record = json.loads(everywhere.files.cat(f"{REGISTRY}/runs/{run}.json"))
    assert record["state"] == "SUCCEEDED"
