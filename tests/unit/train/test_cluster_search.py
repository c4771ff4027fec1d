"""The train step has Katib search, and trains with what it has found."""

import json
import logging
from unittest.mock import patch

import pytest

from components import storage
from components.artifacts.model.history import TRIALS_FILE, Trial, read_trials
from components.errors import InputError, WorkError
from components.train.search.space import METRIC, SPACE, read_space
from components.train.settings import TrainSettings
from components.train.step import Artifact, Artifacts, train_step
from tests.fakes.object_storage import s3_storage
from tests.fakes.trainer import STEP_POD, FakeTrainer, Scene, step_cluster

SEARCH = TrainSettings(search_trials=3, search_parallel=2, batch_size=32)
HISTORY = {"train": [], "validation": [{"epoch": 2, "macro_f1": 0.5}], "best_epoch": 2.0}
NAMES = [each.name for each in read_space(str(SPACE), SEARCH)]


def trial(number, score, **values):
    """A trial as Katib shows it, with the smallest value of every setting that is not given."""
    given = {each.name: each.texts()[0] for each in read_space(str(SPACE), SEARCH)}
    given |= {name: json.dumps(value) for name, value in values.items()}
    condition = "Succeeded" if score is not None else "Failed"
    latest = "unavailable" if score is None else f"{score:.6f}"
    return {
        "metadata": {"name": f"t{number}", "creationTimestamp": f"2026-11-28T00:0{number}:00Z"},
        "spec": {"parameterAssignments": [{"name": n, "value": text} for n, text in given.items()]},
        "status": {
            "conditions": [{"type": condition, "status": "True"}],
            "observation": {"metrics": [{"name": METRIC, "latest": latest}]},
        },
    }


@pytest.fixture(scope="module")
def store():
    with s3_storage() as uri:
        yield uri


@pytest.fixture
def artifacts(store, tmp_path):
    names = ("merged", "model", "real_only", "checkpoints")
    return Artifacts(*(Artifact(tmp_path / each, f"{store}{tmp_path}/{each}") for each in names))


@pytest.fixture
def katib():
    done = Scene("Succeeded", status={"trialsSucceeded": 2, "trialsFailed": 1})
    trials = [trial(3, 0.7), trial(1, 0.8, lora_rank=32, learning_rate=0.001), trial(2, None)]
    return FakeTrainer(script=[Scene(status={"trialsSucceeded": 1}), done], trials=trials)


def train(katib, artifacts, settings):
    with step_cluster(katib) as cluster:
        return train_step(settings, artifacts, STEP_POD, cluster)


def test_the_step_trains_with_the_best_settings_and_keeps_all_trials(katib, artifacts, caplog):
    with patch("components.train.run.train") as trained, caplog.at_level(logging.INFO):
        train(katib, artifacts, SEARCH)
    settings, *_, trials_file = trained.call_args.args
    assert (settings.lora_rank, settings.learning_rate, settings.batch_size) == (32, 0.001, 16)
    assert (settings.search_trials, settings.search_parallel) == (0, 1)
    first, second, third = read_trials(trials_file)
    assert first == Trial(1, 0.8, first.settings)
    assert [*first.settings] == NAMES
    assert (second.macro_f1, third.macro_f1) == (None, 0.7)
    said = [each.message for each in caplog.records]
    assert any("1 of 3 trials have a score" in each for each in said)


def test_the_experiment_is_as_large_as_the_settings_say_and_like_the_step(katib, artifacts):
    with patch("components.train.run.train"):
        train(katib, artifacts, SEARCH)
    (created,) = katib.created
    assert created["metadata"]["ownerReferences"][0]["name"] == STEP_POD
    spec = created["spec"]
    assert (spec["maxTrialCount"], spec["parallelTrialCount"]) == (3, 2)
    pod = spec["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "registry/train@sha256:1"
    names = [each["name"] for each in container["env"]]
    assert names == ["HOME", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"]
    assert f"--dataset={artifacts.dataset.uri}" in container["args"]
    assert not any("search_" in each or "nodes" in each for each in container["args"])


def test_the_trials_run_where_the_step_may(katib, artifacts):
    toleration = {"key": "gpu", "operator": "Exists"}
    katib.step["spec"] |= {"nodeSelector": {"pool": "l4"}, "tolerations": [toleration]}
    with patch("components.train.run.train"):
        train(katib, artifacts, SEARCH)
    trial_spec = katib.created[0]["spec"]["trialTemplate"]["trialSpec"]["spec"]
    pod = trial_spec["template"]["spec"]
    assert pod["nodeSelector"] == {"pool": "l4"}
    assert toleration in pod["tolerations"]


def test_a_space_that_the_training_afterwards_cannot_use_is_refused(katib, artifacts):
    settings = TrainSettings(
        search_trials=3, search_parallel=2, nodes=4, node_gpus=8, batch_size=32
    )
    with pytest.raises(InputError, match="cannot be shared evenly among 32 passes"):
        train(katib, artifacts, settings)
    assert not katib.created


def test_the_nodes_of_a_training_find_the_trials(katib, artifacts):
    history = storage.open_store(artifacts.model.uri)
    history.write("history.json", json.dumps(HISTORY).encode())
    settings = TrainSettings(search_trials=3, search_parallel=2, nodes=2, batch_size=32)
    katib.script.append(Scene("Complete"))
    assert train(katib, artifacts, settings).best_epoch == 2
    _, job = katib.created
    uri = f"{artifacts.checkpoints.uri}/{TRIALS_FILE}"
    assert f"--trials={uri}" in job["spec"]["trainer"]["args"]
    assert "--set=lora_rank=32" in job["spec"]["trainer"]["args"]
    assert len(json.loads(storage.read_text(uri))) == 3


def test_a_search_without_a_score_is_an_error(katib, artifacts):
    katib.trials = [trial(1, None)]
    with pytest.raises(WorkError, match="ended without a trial that has a score"):
        train(katib, artifacts, SEARCH)


def test_an_experiment_that_fails_is_an_error_with_its_own_words(katib, artifacts):
    katib.script = [Scene("Failed")]
    with pytest.raises(WorkError, match=r"Experiment search-\w+: failed: as written"):
        train(katib, artifacts, SEARCH)
