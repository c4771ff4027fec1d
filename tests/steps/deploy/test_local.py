"""The deploy step with the real predictor on this machine."""

import json

import pytest

from components.artifacts.model import bundle
from components.artifacts.task import load_task
from components.deploy.local import running_predictor
from components.deploy.release import TrainedModel
from components.deploy.run import deploy
from components.deploy.settings import DeploySettings
from components.errors import WorkError
from tests.evaluations import write_evaluation


def test_it_writes_the_manifest_the_smoke_result_and_the_log(
    model_folder, dataset_folder, tmp_path
):
    evaluation = write_evaluation(tmp_path / "evaluation.json")
    output = tmp_path / "deployment"
    trained = TrainedModel(model_folder, "gs://models/1", evaluation)
    deploy(DeploySettings(), trained, output, dataset_folder)
    assert {each.name for each in output.iterdir()} == {
        "inference_service.yaml",
        "smoke.json",
        "predictor.log",
    }
    smoke = json.loads((output / "smoke.json").read_text())
    assert smoke["sentences"] > sum(len(label.examples) for label in load_task("emotion").labels)
    assert smoke["expected_share"] > 1 / 6
    assert "/v2/models/{model_name}/infer" in (output / "predictor.log").read_text()


def test_a_predictor_that_cannot_start_is_reported_with_its_log(tmp_path):
    (tmp_path / "model").mkdir()
    log = tmp_path / "predictor.log"
    with (
        pytest.raises(WorkError, match=rf"status 1.*has no {bundle.MANIFEST}"),
        running_predictor(tmp_path / "model", "emotion", log),
    ):
        pass
    assert bundle.MANIFEST in log.read_text()


def test_a_predictor_that_is_not_ready_in_time_is_reported(model_folder, tmp_path):
    with (
        pytest.raises(WorkError, match=r"not ready within 0\.2 s"),
        running_predictor(model_folder, "emotion", tmp_path / "log", start_seconds=0.2),
    ):
        pass
