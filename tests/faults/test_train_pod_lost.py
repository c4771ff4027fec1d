"""train's pod is lost within an epoch, without a signal and with its disk, as on a cluster.

The step is called as KFP calls it. KFP's launcher itself is not here; that it hands a retry the
same URIs is in its driver, which names them once for all tries (kubeflow/pipelines,
backend/src/v2/driver/driver.go, provisionOutputs).
"""

import os
import re
import shutil
import signal
import sys
import time
from types import SimpleNamespace

import pytest
from transformers import Trainer

from components import storage
from components.artifacts.model import bundle
from components.artifacts.model.history import read_history
from components.train.component import train
from tests.fakes.http_server import answering
from tests.forked import processes
from tests.tiny_encoder import write_tiny_encoder

STEPS_PER_EPOCH = 15
# Every step is later than that after the one before.
ALWAYS = 1e-9


@pytest.fixture(scope="module")
def parameters(tmp_path_factory):
    """The train step's parameters: dropout, schedule and average, everything that has a state."""
    encoder = write_tiny_encoder(tmp_path_factory.mktemp("base") / "tiny")
    options = {"warmup_fraction": 0.1, "average_decay": 0.9, "min_int8_agreement": 0}
    return {
        "task": "emotion",
        "seed": 0,
        "train_base_model": str(encoder),
        "train_base_model_revision": "",
        "train_peft_method": "lora",
        "train_learning_rate": 5e-3,
        "train_epochs": 3,
        "train_batch_size": 4,
        "train_weight_decay": 0.01,
        "train_max_length": 32,
        "train_nodes": 1,
        "train_options": options,
        "train_search_trials": 0,
        "train_search_parallel": 1,
        "train_ablation": False,
    }


def with_minutes(parameters, minutes):
    options = {**parameters["train_options"], "checkpoint_minutes": minutes}
    return {**parameters, "train_options": options}


def step(parameters, dataset, pod, uri, environment, kill_at=0):
    """The step in a process of its own, which may die in a training step."""
    os.environ.update(environment)
    pod.mkdir()
    sys.stderr = (pod / "log").open("w", buffering=1)
    if kill_at:
        die_in_step(kill_at, uri)
    artifacts = {
        name: SimpleNamespace(path=str(pod / name), uri=f"{uri}/{name}", metadata={})
        for name in ("model", "real_only", "checkpoints")
    }
    train.python_func(
        merged=SimpleNamespace(path=str(dataset), uri=f"{uri}/merged"), **artifacts, **parameters
    )


def die_in_step(nth, uri):
    """Kill the process in its nth training step, once the last checkpoint has arrived."""
    original = Trainer.training_step
    calls = 0

    def training_step(*arguments, **options):
        nonlocal calls
        calls += 1
        if calls == nth:
            while nth - 1 not in copied(uri):
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)

    Trainer.training_step = training_step


def copied(uri):
    """The steps of the checkpoints that are whole in object storage."""
    names = storage.open_store(f"{uri}/checkpoints").sizes()
    pattern = re.compile(rf"[0-9a-f]+/checkpoint-(\d+)/{re.escape(bundle.MANIFEST)}")
    return {int(match[1]) for name in names if (match := pattern.fullmatch(name))}


def run(*arguments):
    process = processes.Process(target=step, args=arguments)
    process.start()
    process.join(timeout=300)
    return process.exitcode


def trained(pod):
    """The weights that were kept, and the validation scores of all epochs."""
    history = read_history(pod / "model")
    weights = pod / "model" / bundle.MERGED / "model.safetensors"
    return weights.read_bytes(), history.validation, history.best_epoch


def log(pod):
    return (pod / "log").read_text()


@pytest.fixture
def keys():
    """The variables by which the step finds the store."""
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


def test_the_next_pod_goes_on_from_the_last_upload_and_ends_with_the_same_weights(
    parameters, small_dataset, s3_bucket, keys, tmp_path
):
    whole, first, second = (tmp_path / name for name in ("whole", "first", "second"))
    assert run(with_minutes(parameters, 0), small_dataset, whole, tmp_path.as_uri(), {}) == 0
    often, uri = with_minutes(parameters, ALWAYS), f"{s3_bucket.replace('s3', 'minio')}/runs/1"
    lost_in = STEPS_PER_EPOCH + 7

    assert run(often, small_dataset, first, uri, keys, lost_in) == -signal.SIGKILL, log(first)
    shutil.rmtree(first)
    assert run(often, small_dataset, second, uri, keys) == 0, log(second)

    assert f"resuming from {second}/checkpoints/all/checkpoint-{lost_in - 1}\n" in log(second)
    assert trained(second) == trained(whole)
    # What later steps download holds no checkpoint, and KFP stores none a second time.
    assert bundle.verify(second / "model")
    assert not (second / "checkpoints" / "all").exists()


def test_a_step_without_keys_trains_without_copies(parameters, small_dataset, tmp_path):
    body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    pod = tmp_path / "pod"

    with answering(403, body) as url:
        store = {"AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true"}
        ended = run(parameters, small_dataset, pod, "minio://mlpipeline/runs/1", store)
    assert ended == 0, log(pod)
    assert "train: no copies of checkpoints, a killed step starts over: minio://mlpipeline" in log(
        pod
    )
    assert bundle.verify(pod / "model")
