"""The train step starts a TrainJob, tells what its pods say, and takes it along when it ends."""

import json
import logging
import os
import signal
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from kubeflow_trainer_api.models.trainer_v1alpha1_train_job import TrainerV1alpha1TrainJob

from components import storage
from components.artifacts.model import bundle
from components.command_line import start_logging
from components.errors import ClusterError, InputError, WorkError
from components.options import read_assignments, with_options
from components.train.cluster import job
from components.train.cluster.job import work_name
from components.train.cluster.nodes import Places
from components.train.settings import TrainSettings
from components.train.step import Artifact, Artifacts, train_step
from tests.fakes.object_storage import s3_storage
from tests.fakes.trainer import STEP_POD, FakeTrainer, Scene, node_pod, step_cluster, step_pod

SETTINGS = TrainSettings(nodes=2, batch_size=32, queue="team", node_gpus=1, epochs=2)
HISTORY = {"train": [], "validation": [{"epoch": 2, "macro_f1": 0.5}], "best_epoch": 2.0}


@pytest.fixture(scope="module")
def store():
    with s3_storage() as uri:
        yield uri


@pytest.fixture
def places(store, request):
    folder = f"{store}/{abs(hash(request.node.name))}"
    return Places(*(f"{folder}/{each}" for each in ("merged", "model", "real_only", "checkpoints")))


@pytest.fixture
def trainer():
    return FakeTrainer()


def write_history(uri):
    """What the pods of a training leave, as far as the step reads it."""
    storage.open_store(uri).write("history.json", json.dumps(HISTORY).encode())


def artifacts(places, folder="/none"):
    uris = (places.dataset, places.model, places.real_only, places.checkpoints)
    return Artifacts(*(Artifact(Path(folder) / Path(each).name, each) for each in uris))


def train(trainer, places, settings=SETTINGS, folder="/none"):
    with step_cluster(trainer) as cluster:
        return train_step(settings, artifacts(places, folder), STEP_POD, cluster)


def arguments(created):
    return created["spec"]["trainer"]["args"]


def test_the_pods_are_like_the_step_and_belong_to_it(trainer, places):
    write_history(places.model)
    assert train(trainer, places).best_epoch == 2
    (created,) = trainer.created
    assert TrainerV1alpha1TrainJob.from_dict(created).to_dict() == created
    made = created["spec"]["trainer"]
    assert (made["image"], made["numNodes"]) == ("registry/train@sha256:1", 2)
    assert [each["name"] for each in made["env"]] == ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"]
    limits = made["resourcesPerNode"]["limits"]
    assert limits == {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": "1"}
    metadata = created["metadata"]
    assert metadata["labels"]["kueue.x-k8s.io/queue-name"] == "team"
    assert metadata["labels"]["workflows.argoproj.io/workflow"] == "emotion-x"
    assert [each["uid"] for each in metadata["ownerReferences"]] == ["1"]


def test_they_train_with_the_step_s_settings_and_keep_checkpoints_in_its_place(trainer, places):
    write_history(places.model)
    train(trainer, places)
    given = [each.removeprefix("--set=") for each in arguments(trainer.created[0])]
    settings = with_options(
        TrainSettings, read_assignments([each for each in given if not each.startswith("-")][1:])
    )
    assert settings == TrainSettings(batch_size=32, epochs=2, checkpoint_uri=places.checkpoints)


def test_without_settings_of_their_own_they_have_the_step_s_gpus(trainer, places):
    write_history(places.model)
    train(trainer, places, TrainSettings(nodes=2))
    made = trainer.created[0]["spec"]["trainer"]
    assert made["numProcPerNode"] == 2
    assert made["resourcesPerNode"]["limits"]["nvidia.com/gpu"] == "2"


def test_an_ablation_is_a_second_job_without_synthetic_rows(trainer, places):
    for uri in (places.model, places.real_only):
        write_history(uri)
    train(trainer, places, TrainSettings(nodes=2, ablation=True))
    whole, part = trainer.created
    assert f"--output={places.model}" in arguments(whole)
    assert "--real-only" not in arguments(whole)
    assert {"--real-only", f"--output={places.real_only}"} <= {*arguments(part)}
    assert whole["metadata"]["name"] != part["metadata"]["name"]
    # What a try that was cut off has left is replaced.
    assert all("--replace" in arguments(each) for each in trainer.created)


def test_progress_is_the_log_of_the_first_node_each_line_once(trainer, places, caplog):
    write_history(places.model)
    running = Scene(pods=[node_pod(0), node_pod(1)])
    trainer.script = [Scene("Suspended"), running, running, Scene("Complete", running.pods)]
    trainer.logs = {"job-node-0-0-0": ["epoch 1", "epoch 2"], "job-node-0-1-0": ["not this"]}
    with caplog.at_level(logging.INFO):
        train(trainer, places)
    said = [each.message for each in caplog.records]
    assert [each for each in said if each.startswith("epoch")] == ["epoch 1", "epoch 2"]
    assert "not this" not in said
    assert any("waits to be admitted" in each for each in said)


def test_a_progress_bar_hides_no_line_and_lines_of_one_moment_are_all_told(trainer, places, caplog):
    write_history(places.model)
    trainer.script = [Scene(pods=[node_pod(0)]), Scene("Complete", [node_pod(0)])]
    bar = "weights: 0%\rweights: 50%\rweights: 100%"
    trainer.logs = {"job-node-0-0-0": [bar, "epoch 1"]}
    with caplog.at_level(logging.INFO), patch("tests.fakes.trainer._TIME", "2026-11-26T08Z {1}"):
        train(trainer, places)
    said = [each.message for each in caplog.records]
    assert [each for each in said if "weights" in each or "epoch" in each] == [
        "weights: 100%",
        "epoch 1",
    ]


def test_what_a_pod_waits_for_is_said_once(trainer, places, caplog):
    write_history(places.model)
    pod = node_pod(0, "Pending")
    message = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
    pod["status"] = {
        "phase": "Pending",
        "conditions": [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": message,
            }
        ],
    }
    trainer.script = [Scene(pods=[pod]), Scene(pods=[pod]), Scene("Complete")]
    with caplog.at_level(logging.INFO):
        train(trainer, places)
    assert sum(message in each.message for each in caplog.records) == 1


def test_what_keeps_pods_from_being_made_is_said_once(trainer, places, caplog):
    write_history(places.model)
    refused = 'pods "train-1-node-0-{}" is forbidden: exceeded quota: pipeline, requested: cpu=4'
    trainer.script = [Scene(), Scene(), Scene("Complete")]
    trainer.warnings = [refused.format("0-abcde"), refused.format("0-xyz12")]
    train(trainer, places)
    assert [each.message for each in caplog.records].count(
        f"train: FailedCreate: {trainer.warnings[0]}"
    ) == 1
    assert sum("exceeded quota" in each.message for each in caplog.records) == 1


def test_a_failure_has_the_last_lines_of_the_pod_that_failed_first(trainer, places):
    first_try = [node_pod(0, "Failed", 1, attempt=0, ended=1)]
    last = [
        node_pod(0, "Failed", 1, attempt=1, ended=9),
        node_pod(1, "Failed", 137, attempt=1, ended=8),
    ]
    trainer.script = [Scene(pods=first_try), Scene("Failed", last)]
    trainer.logs = {
        "job-node-0-0-0": ["of the first try"],
        "job-node-0-0-1": ["peer is gone"],
        "job-node-0-1-1": ["epoch 1", "out of memory"],
    }
    with pytest.raises(
        WorkError, match=r"TrainJob train-\w+: failed: pod job-node-0-1-1 ended"
    ) as e:
        train(trainer, places)
    assert "status 137 (Error): epoch 1 | out of memory" in str(e.value)


def test_a_container_that_ran_out_of_memory_is_the_reason_whatever_its_sidecar_says(
    trainer, places
):
    pod = node_pod(0, "Failed", 255, ended=9)
    (sidecar,) = pod["status"]["containerStatuses"]
    finished = {"reason": "OOMKilled", "finishedAt": "2026-11-26T08:09:01Z"}
    killed = {"terminated": {"exitCode": 137, **finished}}
    pod["status"]["containerStatuses"].append({**sidecar, "name": "train", "state": killed})
    trainer.script = [Scene("Failed", [pod])]
    with pytest.raises(WorkError, match=r"ended with status 137 \(OOMKilled\)"):
        train(trainer, places)


def test_a_failure_without_a_pod_has_the_job_s_own_words(trainer, places):
    trainer.script = [Scene("Failed")]
    with pytest.raises(WorkError, match="failed: as written"):
        train(trainer, places)


def test_a_job_that_somebody_deletes_fails_the_step(trainer, places):
    trainer.script = [Scene(), Scene(gone=True)]
    with pytest.raises(WorkError, match="was deleted before it had ended"):
        train(trainer, places)


def test_sigterm_deletes_the_job(trainer, places):
    trainer.script = [Scene()]

    def die(_):
        os.kill(os.getpid(), signal.SIGTERM)

    handler = signal.getsignal(signal.SIGTERM)
    root = logging.getLogger()
    handlers = root.handlers[:]
    try:
        start_logging()
        look = patch("components.train.cluster.pod_news.PodNews.look", die)
        with look, pytest.raises(SystemExit) as ended:
            train(trainer, places)
    finally:
        signal.signal(signal.SIGTERM, handler)
        root.handlers[:] = handlers
    assert ended.value.code == 143
    assert trainer.deleted == [trainer.created[0]["metadata"]["name"]]
    assert not trainer.jobs


def test_a_second_try_takes_over_the_job_that_still_runs(trainer, places):
    away = patch.object(job.Job, "_end", side_effect=ClusterError("pods", "no answer", "Wait"))
    with away, pytest.raises(ClusterError, match="no answer"):
        train(trainer, places)
    assert not trainer.deleted
    write_history(places.model)
    trainer.step, trainer.script = step_pod("2"), [Scene(), Scene("Complete")]
    assert train(trainer, places).best_epoch == 2
    assert len(trainer.created) == 1
    (only,) = trainer.jobs.values()
    assert [each["uid"] for each in only["metadata"]["ownerReferences"]] == ["1", "2"]


def test_a_second_try_replaces_a_job_that_failed(trainer, places):
    trainer.script = [Scene("Failed")]
    with pytest.raises(WorkError, match="as written"):
        train(trainer, places)
    write_history(places.model)
    trainer.script = [Scene("Failed"), Scene("Complete")]
    train(trainer, places)
    assert len(trainer.created) == 2
    assert trainer.deleted == [trainer.created[0]["metadata"]["name"]]


def test_a_second_try_that_finds_the_model_does_not_train(trainer, places):
    write_history(places.model)
    storage.open_store(places.model).write(bundle.MANIFEST, b"{}")
    assert train(trainer, places).best["macro_f1"] == 0.5
    assert not trainer.created


def test_a_second_try_waits_for_pods_that_may_write_the_model_again(trainer, places):
    write_history(places.model)
    storage.open_store(places.model).write(bundle.MANIFEST, b"{}")
    trainer.script = [Scene(), Scene("Complete")]
    trainer.jobs[work_name("train", places.model)] = {"metadata": {"name": "earlier"}, "spec": {}}
    train(trainer, places)
    assert not trainer.created
    assert len(trainer.script) == 1


def test_a_training_that_left_nothing_is_an_error(trainer, places):
    with pytest.raises(WorkError, match=r"has no history\.json, though its training ended"):
        train(trainer, places)


def test_outside_of_a_pod_it_is_refused(places):
    with pytest.raises(InputError, match=r"train_nodes=2, .*: trains in pods"):
        train_step(SETTINGS, artifacts(places))


def test_a_place_that_other_nodes_do_not_reach_is_refused():
    with pytest.raises(InputError, match="is not in object storage"):
        Places("runs/merged", "s3://b/model", "s3://b/real_only", "s3://b/checkpoints")


def test_a_step_without_limits_asks_for_the_nodes_own(trainer, places):
    (main,) = (each for each in trainer.step["spec"]["containers"] if each["name"] == "main")
    main["resources"] = {"requests": {"cpu": "2"}}
    with pytest.raises(InputError, match=r"train_options\.node_memory: is not set"):
        train(trainer, places)
    write_history(places.model)
    train(trainer, places, replace(SETTINGS, node_memory="3Gi"))
    limits = trainer.created[0]["spec"]["trainer"]["resourcesPerNode"]["limits"]
    assert limits == {"cpu": "2", "memory": "3Gi", "nvidia.com/gpu": "1"}


def test_a_pod_that_is_no_step_is_refused(trainer, places):
    trainer.step["spec"]["containers"].pop()
    with pytest.raises(InputError, match="has no container 'main'"):
        train(trainer, places)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nodes": 0}, "nodes=0"),
        ({"nodes": 3}, "cannot be shared evenly among 3 passes"),
        ({"nodes": 2, "search_trials": 3}, "search_trials=3: searches in the step's own pod"),
        ({"queue": "team"}, "queue='team': admits a TrainJob"),
        ({"search_trials": 3, "search_parallel": 4}, "search_parallel=4: is more than"),
    ],
)
def test_impossible_nodes_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        TrainSettings(**values)
