"""Deploys to a real API server, each of which ends with the new or the old model in service."""

from dataclasses import replace

import pytest

from components.deploy.cluster.rollout import Patience
from components.deploy.kserve import report
from components.errors import ChampionMovedError, InputError, RolloutError, ServingError, WorkError

pytestmark = pytest.mark.cluster


def test_a_first_model_comes_into_service(stage):
    stage.deploy("old")
    stage.require("old")
    assert stage.finished == ["old"]
    annotations = stage.service()["metadata"]["annotations"]
    assert annotations["emotion-pipeline/model-sha256"] == stage.models["old"].sha256
    assert annotations["emotion-pipeline/accuracy"] == "0.9000"
    assert annotations["emotion-pipeline/gate"] == "passed"


def test_a_second_model_gets_a_little_of_the_traffic_first(stage, caplog):
    stage.deploy("old")
    with caplog.at_level("INFO"):
        stage.deploy("new")
    stage.require("new")
    assert "emotion-predictor-00001 has 90 %" in caplog.text or "gets 10 %" in caplog.text
    status = stage.service()["status"]["components"]["predictor"]
    assert status["latestRolledoutRevision"] == "emotion-predictor-00002"
    assert status["previousRolledoutRevision"] == "emotion-predictor-00001"


def test_the_same_again_changes_nothing(stage):
    stage.deploy("old")
    generation = stage.service()["metadata"]["generation"]
    stage.deploy("old")
    stage.require("old")
    assert stage.service()["metadata"]["generation"] == generation


def test_an_earlier_ready_is_not_taken_for_the_new_model(stage):
    stage.deploy("old")
    stage.play("new", stale_seconds=3.0)
    stage.deploy("new")
    stage.require("new")


@pytest.mark.parametrize("ends", ["never", "blocked", "crash", "image"])
def test_a_model_that_does_not_start_leaves_the_old_one_in_service(stage, ends):
    stage.patience = Patience(poll_seconds=0.2, stuck_seconds=2.0)
    reasons = {
        "never": "not in service after 3 s",
        "blocked": "BlockedByFailedLoad ModelLoadFailed .* has no manifest.json",
        "crash": "CrashLoopBackOff .*ended with status 1 Error .* has no manifest.json",
        "image": "ImagePullBackOff .*pulling image",
    }
    stage.deploy("old")
    stage.play("new", ends=ends)
    if ends == "never":
        stage.settings = replace(stage.settings, ready_seconds=3)
    with pytest.raises(RolloutError, match=reasons[ends]):
        stage.deploy("new")
    stage.require("old")
    assert stage.finished == ["old"]


def test_after_a_model_that_could_not_be_loaded_comes_one_that_can(stage):
    stage.deploy("old")
    stage.play("bad", ends="crash")
    with pytest.raises(RolloutError):
        stage.deploy("bad")
    stage.deploy("new")
    stage.require("new")


def test_a_model_that_answers_badly_never_gets_all_of_the_traffic(stage):
    stage.deploy("old")
    with pytest.raises(ServingError, match="no more than chance"):
        stage.deploy("bad")
    stage.require("old")
    assert stage.finished == ["old"]
    rolled_out = stage.service()["status"]["components"]["predictor"]["previousRolledoutRevision"]
    assert rolled_out == "emotion-predictor-00001"


def test_a_predictor_that_serves_another_model_is_refused(stage):
    stage.deploy("old")
    uri = stage.models["new"].uri
    stage.controller.plays[uri] = replace(stage.controller.plays[uri], url=stage.models["old"].url)
    stage.settings = replace(stage.settings, endpoint_seconds=1)
    with pytest.raises(ServingError, match="was answered by model"):
        stage.deploy("new")
    stage.require("old")


def test_a_model_that_is_too_slow_is_not_kept(stage):
    stage.deploy("old")
    stage.settings = replace(stage.settings, max_latency_ms=0.1)
    with pytest.raises(ServingError, match=r"ms per sentence, and 0\.1 are allowed"):
        stage.deploy("new")
    stage.require("old")


def test_a_first_model_that_fails_is_removed(stage):
    with pytest.raises(ServingError, match="no more than chance"):
        stage.deploy("bad")
    assert stage.cluster.pods("serving.kserve.io/inferenceservice=emotion") == []
    assert "there is none" in report(stage.cluster, "emotion")
    stage.settings = replace(stage.settings, mode="Standard")
    stage.deploy("new")
    stage.require("new")


def test_a_release_that_cannot_be_finished_is_undone(stage):
    stage.deploy("old")

    def moved():
        raise ChampionMovedError("champion", "has moved", "Evaluate again")

    with pytest.raises(ChampionMovedError, match="has moved"):
        stage.deploy("new", finish=moved)
    stage.require("old")


def test_rolling_back_and_forth(stage):
    stage.deploy("old")
    stage.deploy("new")
    for name in ("old", "new"):
        stage.roll_back()
        stage.require(name)


def test_without_an_earlier_model_there_is_no_way_back(stage):
    stage.deploy("old")
    with pytest.raises(InputError, match="no model that was in service before"):
        stage.roll_back()
    stage.require("old")


def test_the_report_names_the_model_in_service(stage):
    assert "there is none" in report(stage.cluster, "emotion")
    stage.deploy("old")
    stage.deploy("new")
    lines = dict(line.split(maxsplit=1) for line in report(stage.cluster, "emotion").splitlines())
    assert lines["run"] == "new"
    assert lines["before"] == "old"
    assert lines["deploying"] == "nobody"
    assert "emotion-predictor-00002 has 100 %; ready at http://" in lines["status"]


@pytest.fixture
def standard(stage):
    stage.settings = replace(stage.settings, mode="Standard")
    return stage


def test_standard_mode_waits_until_the_old_pods_are_gone(standard):
    standard.deploy("old")
    standard.play("new", stale_seconds=1.0, ready_seconds=2.0)
    standard.deploy("new")
    standard.require("new")
    (pod,) = standard.cluster.pods("serving.kserve.io/inferenceservice=emotion")
    assert pod["metadata"]["name"] == "emotion-predictor-00002-pod"


@pytest.mark.parametrize("name", ["new", "bad"])
def test_standard_mode_puts_the_old_model_back(standard, name):
    standard.deploy("old")
    if name == "new":
        standard.play("new", ends="crash")
    with pytest.raises(WorkError, match=r"CrashLoopBackOff|no more than chance"):
        standard.deploy(name)
    standard.require("old")


def test_a_service_cannot_change_its_mode(stage):
    stage.deploy("old")
    stage.settings = replace(stage.settings, mode="Standard")
    with pytest.raises(InputError, match="is Knative in the cluster"):
        stage.deploy("new")
    stage.require("old")
