"""The deploy step on a real model folder."""

import json
import shutil

import pytest
import yaml

from components import storage
from components.artifacts.model import bundle
from components.artifacts.registry import ChampionMoved, read_champion
from components.artifacts.task import load_task
from components.deploy.release import is_champion
from components.deploy.run import deploy
from components.deploy.settings import DeploySettings
from components.deploy.targets.local import running_predictor
from components.errors import InputError

METRICS = {"accuracy": 0.91236, "macro_f1": 0.87, "f1_joy": 0.9}
URI = "gs://models/emotion"
RENDER = DeploySettings(deploy_target="render")


def test_local_writes_the_manifest_the_smoke_result_and_the_log(
    model_folder, dataset_folder, tmp_path
):
    output = tmp_path / "deployment"
    deploy(DeploySettings(), model_folder, METRICS, URI, output, dataset_folder)
    assert {each.name for each in output.iterdir()} == {
        "inference_service.yaml",
        "smoke.json",
        "predictor.log",
    }
    smoke = json.loads((output / "smoke.json").read_text())
    assert smoke["sentences"] > sum(len(label.examples) for label in load_task("emotion").labels)
    assert smoke["expected_share"] > 1 / 6
    assert "/v2/models/{model_name}/infer" in (output / "predictor.log").read_text()


def test_render_writes_the_manifest_alone_and_says_what_it_serves(model_folder, tmp_path):
    output = tmp_path / "deployment"
    deploy(RENDER, model_folder, METRICS, URI, output, run_id="run-1")
    assert [each.name for each in output.iterdir()] == ["inference_service.yaml"]
    service = yaml.safe_load((output / "inference_service.yaml").read_text())
    annotations = service["metadata"]["annotations"]
    assert annotations["emotion-pipeline/model-sha256"] == storage.sha256(
        model_folder / bundle.MANIFEST
    )
    assert annotations["emotion-pipeline/accuracy"] == "0.9124"
    assert annotations["emotion-pipeline/macro_f1"] == "0.8700"
    assert annotations["emotion-pipeline/run"] == "run-1"
    assert annotations["emotion-pipeline/model-uri"] == URI
    assert annotations["emotion-pipeline/gate"] == "unknown"


def test_a_changed_model_is_refused_before_anything_is_written(model_folder, tmp_path):
    folder = shutil.copytree(model_folder, tmp_path / "model")
    (folder / bundle.LABELS).write_text("{}")
    with pytest.raises(InputError, match=bundle.LABELS):
        deploy(RENDER, folder, METRICS, URI, tmp_path / "deployment")
    assert not (tmp_path / "deployment").exists()


def test_a_model_of_another_task_is_refused(model_folder, tmp_path):
    task = tmp_path / "task.yaml"
    labels = [{"name": name, "description": name} for name in ("good", "bad")]
    task.write_text(yaml.safe_dump({"name": "mood", "description": "mood", "labels": labels}))
    settings = DeploySettings(task=str(task), deploy_target="render")
    with pytest.raises(InputError, match="not mood's"):
        deploy(settings, model_folder, METRICS, URI, tmp_path / "deployment")


def test_metrics_without_macro_f1_are_refused(model_folder, tmp_path):
    with pytest.raises(InputError, match="macro_f1"):
        deploy(RENDER, model_folder, {"accuracy": 0.9}, URI, tmp_path / "deployment")


def test_a_predictor_that_cannot_start_is_reported_with_its_log(tmp_path):
    (tmp_path / "model").mkdir()
    log = tmp_path / "predictor.log"
    with (
        pytest.raises(InputError, match=rf"status 1.*has no {bundle.MANIFEST}"),
        running_predictor(tmp_path / "model", "emotion", log),
    ):
        pass
    assert bundle.MANIFEST in log.read_text()


def test_a_predictor_that_is_not_ready_in_time_is_reported(model_folder, tmp_path):
    with (
        pytest.raises(InputError, match=r"not ready within 0\.2 s"),
        running_predictor(model_folder, "emotion", tmp_path / "log", start_seconds=0.2),
    ):
        pass


@pytest.mark.parametrize(
    ("metrics", "uri", "rule"),
    [
        (METRICS, URI, "passed its gate"),
        ({**METRICS, "gate": {"passed": False}}, URI, "passed its gate"),
        ({**METRICS, "gate": {"passed": True}}, "runs/model", "nowhere that KServe downloads"),
    ],
)
def test_a_cluster_is_not_asked_for_what_it_cannot_do(model_folder, tmp_path, metrics, uri, rule):
    with pytest.raises(InputError, match=rule):
        deploy(DeploySettings(deploy_target="kserve"), model_folder, metrics, uri, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def champion_of(registry):
    return json.loads((registry / "champion.json").read_text())


def test_a_registry_gets_the_model_and_its_champion(model_folder, tmp_path):
    registry = tmp_path / "registry"
    settings = DeploySettings(deploy_target="render", registry=str(registry))
    deploy(settings, model_folder, METRICS, URI, tmp_path / "first", run_id="run-1")
    service = yaml.safe_load((tmp_path / "first" / "inference_service.yaml").read_text())

    assert champion_of(registry)["run_id"] == "run-1"
    assert bundle.verify(registry / "run-1").sha256 == champion_of(registry)["manifest_sha256"]
    assert str(registry / "run-1") in json.dumps(service)
    sha256 = champion_of(registry)["manifest_sha256"]
    assert is_champion(str(registry), "run-1", sha256)
    assert not is_champion(str(registry), "run-2", sha256)
    assert not is_champion(str(registry), "run-1", "0" * 64)
    assert not is_champion("", "run-1", sha256)

    _, generation = read_champion(str(registry))
    compared = {**METRICS, "champion": {"generation": generation}}
    deploy(settings, model_folder, compared, URI, tmp_path / "second", run_id="run-2")
    assert champion_of(registry)["run_id"] == "run-2"


def test_a_model_compared_with_an_earlier_champion_does_not_replace_the_present_one(
    model_folder, tmp_path
):
    registry = tmp_path / "registry"
    settings = DeploySettings(deploy_target="render", registry=str(registry))
    deploy(settings, model_folder, METRICS, URI, tmp_path / "first", run_id="run-1")

    with pytest.raises(ChampionMoved, match="is run run-1 at generation"):
        deploy(settings, model_folder, METRICS, URI, tmp_path / "second", run_id="run-2")
    assert champion_of(registry)["run_id"] == "run-1"


def test_a_run_publishes_one_model_only(model_folder, tmp_path):
    bundle.publish(model_folder, str(tmp_path / "run-1"))
    bundle.publish(model_folder, str(tmp_path / "run-1"))
    other = shutil.copytree(model_folder, tmp_path / "other")
    bundle.write_manifest(other, {"another": True})

    with pytest.raises(InputError, match="run-1: holds another model"):
        bundle.publish(other, str(tmp_path / "run-1"))


def test_a_registry_needs_the_id_of_the_run(model_folder, tmp_path):
    settings = DeploySettings(deploy_target="render", registry=str(tmp_path / "registry"))
    with pytest.raises(InputError, match="run_id: is empty"):
        deploy(settings, model_folder, METRICS, URI, tmp_path / "first")
