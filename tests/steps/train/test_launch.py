"""Fine-tuning in several real processes, which exchange gradients through gloo."""

import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import psutil
import pytest
from safetensors.numpy import load_file

from components.artifacts.model import bundle
from components.artifacts.model.history import read_history
from components.errors import InputError
from components.processes import free_port
from components.train.launch import fine_tune_in_processes
from components.train.search.space import METRIC
from components.train.settings import TrainSettings, changed_settings, to_arguments
from tests.forked import start_module
from tests.tiny_encoder import write_tiny_encoder
from tests.waiting import wait_for

# Four steps per epoch in batches of 16.
ROWS = {"train": 64, "validation": 24, "test": 24}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Without dropout, whose masks depend on the shape of a process's share of a batch."""
    return TrainSettings(
        base_model=str(write_tiny_encoder(tmp_path_factory.mktemp("encoder"))),
        learning_rate=5e-3,
        epochs=1,
        batch_size=16,
        max_length=32,
        dropout=0.0,
        lora_dropout=0.0,
        # In bfloat16 sums in another order differ visibly.
        precision="float32",
        processes=2,
        min_int8_agreement=0.0,
    )


@pytest.fixture(scope="module")
def small_dataset(dataset_folder, tmp_path_factory):
    """Some rows of the data set, with weights that differ."""
    folder = tmp_path_factory.mktemp("small") / "dataset"
    shutil.copytree(dataset_folder, folder)
    for split, count in ROWS.items():
        rows = pd.read_parquet(folder / f"{split}.parquet").sample(count, random_state=0)
        rows["weight"] = np.linspace(0.5, 1.5, count)
        rows.to_parquet(folder / f"{split}.parquet")
    return folder


def losses(history):
    return [point["loss"] for point in history.train]


def test_two_processes_learn_as_one_does(settings, small_dataset, tmp_path):
    histories = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        histories.append(
            fine_tune_in_processes(
                replace(settings, processes=processes),
                *(small_dataset, folder / "model", folder / "checkpoints"),
            )
        )
    one, two = histories
    assert len(losses(one)) == 4
    # The same sums in another order: float32 rounds them differently, and Adam magnifies it.
    assert losses(two) == pytest.approx(losses(one), abs=1e-5)
    # Processes fill up their last batch of validation rows; the loss counts those rows twice.
    assert two.validation == [pytest.approx(point, abs=0.02) for point in one.validation]
    first, second = (
        load_file(tmp_path / each / "model" / bundle.MERGED / "model.safetensors") for each in "12"
    )
    for name, weights in first.items():
        np.testing.assert_allclose(second[name], weights, atol=1e-5, err_msg=name)
    bundle.verify(tmp_path / "2" / "model")
    # Only processes of one group each save a random state.
    (last,) = (tmp_path / "2" / "checkpoints").glob("checkpoint-4")
    assert {path.name for path in last.glob("rng_state*")} == {"rng_state_0.pth", "rng_state_1.pth"}


@pytest.mark.slow
def test_two_processes_distil_as_one_does(settings, small_dataset, tmp_path):
    student = {"distill": True, "student_layers": 1, "student_epochs": 1, "student_variants": 1}
    found = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        chosen = replace(settings, processes=processes, **student)
        fine_tune_in_processes(chosen, small_dataset, folder / "model", folder / "checkpoints")
        found.append(load_file(folder / "model" / bundle.MERGED / "model.safetensors"))
    one, two = found
    for name, weights in one.items():
        np.testing.assert_allclose(two[name], weights, atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_nodes_with_disks_of_their_own_make_one_model(settings, small_dataset, tmp_path):
    port = free_port()
    arguments = to_arguments(changed_settings(replace(settings, processes=0, average_decay=0.9)))

    def node(rank):
        own = tmp_path / str(rank)
        command = [
            *(sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"),
            *(f"--node-rank={rank}", "--master-addr=127.0.0.1", f"--master-port={port}"),
            *("-m", "components.train", f"--dataset={small_dataset}", f"--output={own / 'model'}"),
            *(f"--checkpoints={own / 'checkpoints'}", *arguments),
        ]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    for process in [node(rank) for rank in (0, 1)]:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
    bundle.verify(tmp_path / "0" / "model")
    assert not (tmp_path / "1" / "model").exists()


@pytest.mark.slow
def test_what_a_process_refuses_is_refused(settings, small_dataset, tmp_path):
    shutil.copytree(small_dataset, tmp_path / "dataset")
    (tmp_path / "dataset" / "validation.parquet").unlink()
    with pytest.raises(InputError, match=r"validation\.parquet: there is no such file"):
        fine_tune_in_processes(
            settings, tmp_path / "dataset", tmp_path / "model", tmp_path / "points"
        )
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(("processes", "accumulated"), [(3, 1), (2, 16)])
def test_a_batch_that_cannot_be_shared_evenly_is_refused(
    settings, tmp_path, processes, accumulated
):
    with pytest.raises(InputError, match="batch_size=16: cannot be shared evenly"):
        fine_tune_in_processes(
            replace(settings, processes=processes, accumulation_steps=accumulated),
            *(tmp_path, tmp_path / "model", tmp_path / "checkpoints"),
        )


def test_the_command_line_trains_and_reports_the_score_to_katib(settings, small_dataset, tmp_path):
    (tmp_path / "settings.yaml").write_text(f"base_model: {settings.base_model}\nepochs: 9\n")
    arguments = [
        *(f"--dataset=file://{small_dataset}", f"--output=file://{tmp_path}/there/model"),
        *(f"--settings={tmp_path}/settings.yaml", "--set=epochs=1 max_length=32"),
        "--set=min_int8_agreement=0",
    ]
    process = start_module("components.train", arguments, tmp_path)
    process.join(timeout=300)
    assert process.exitcode == 0, (tmp_path / "stderr").read_text()
    bundle.verify(tmp_path / "there" / "model")
    (epoch,) = read_history(tmp_path / "there" / "model").validation
    last_line = (tmp_path / "stdout").read_text().splitlines()[-1]
    assert last_line == f"{METRIC}={epoch['macro_f1']:.6f}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_signal_stops_every_process(number, status, settings, small_dataset, tmp_path):
    command = [
        *(sys.executable, "-m", "components.train", f"--dataset={small_dataset}"),
        *(f"--output={tmp_path}/model", f"--set=base_model={settings.base_model}"),
        *("--set=processes=2", "--set=epochs=1000", "--set=max_length=32"),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as step:
        for line in step.stderr:
            if "epoch 2/" in line:
                family = psutil.Process(step.pid).children(recursive=True)
                step.send_signal(number)
                break
        rest = step.stderr.read()
    assert step.returncode == status, rest
    assert len(family) >= 3
    wait_for(lambda: not any(is_alive(each) for each in family), 90)
    assert list((tmp_path / "model.checkpoints" / "all").glob("checkpoint-*"))
    assert not (tmp_path / "model").exists()


def is_alive(process):
    """Tell whether a process has not ended; what nobody has asked for its status lingers."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
