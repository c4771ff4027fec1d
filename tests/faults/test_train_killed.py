"""train is killed at any moment, and ends with the weights of an uninterrupted run."""

import os
import pickle
import pkgutil
import random
import re
import shutil
import signal
import sys
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest

from components.artifacts.model import bundle
from components.artifacts.model.history import read_history
from components.command_line import start_logging
from components.train.settings import TrainSettings
from tests.forked import processes
from tests.tiny_encoder import write_tiny_encoder

SLOW = pytest.mark.slow
STATUS = {signal.SIGTERM: 143, signal.SIGKILL: -9}
STEP = "transformers.Trainer.training_step"
SEAL = "components.artifacts.model.bundle.seal"
COPY = "fsspec.implementations.local.LocalFileSystem.put_file"
EVALUATION = "transformers.Trainer.evaluate"
EXPORT = "components.train.export.package.export_onnx"


def train_and_suffer(settings, small_dataset, folder, fault):
    """Fine-tune in a process of its own; the fault comes in the nth call of a function."""
    from components.train.launch import fine_tune_in_processes

    folder.mkdir(exist_ok=True)
    sys.stderr = (folder / "log").open("w")
    start_logging()
    if fault:
        arrange(*fault)
    paths = (small_dataset, folder / "model", folder / "checkpoints")
    fine_tune_in_processes(TrainSettings(**settings), *paths)


def arrange(place, nth, fault):
    where, _, name = place.rpartition(".")
    owner = pkgutil.resolve_name(where)
    original = getattr(owner, name)
    calls = 0

    def faulty(*arguments, **options):
        nonlocal calls
        calls += 1
        if calls == nth:
            fault()
        return original(*arguments, **options)

    setattr(owner, name, faulty)


def killed_by(number):
    return partial(signal.raise_signal, number)


def started(settings, small_dataset, folder, fault=None):
    values = (asdict(settings), small_dataset, folder, fault)
    process = processes.Process(target=train_and_suffer, args=values)
    process.start()
    return process


def run(settings, small_dataset, folder, fault=None):
    """The exit status of the step."""
    process = started(settings, small_dataset, folder, fault)
    process.join(timeout=300)
    return process.exitcode


def finished(settings, small_dataset, folder):
    assert run(settings, small_dataset, folder) == 0, log(folder)
    return folder


def log(folder):
    return (folder / "log").read_text()


def weights(folder):
    """The weights that were kept, and all that training ended with."""
    last = folder / "checkpoints" / f"checkpoint-{steps(folder)[-1]}"
    kept = folder / "model" / bundle.MERGED / "model.safetensors"
    ends = (last / name for name in ("adapter_model.safetensors", "average.safetensors"))
    return [path.read_bytes() for path in (kept, *ends)]


def kept_epoch(folder):
    """Validation scores of all epochs, and the one whose weights were kept."""
    history = read_history(folder / "model")
    return history.validation, history.best_epoch


def resumed_from(folder):
    """The step of the checkpoint that the last process resumed from, if there was one."""
    match = re.search(r"train: resuming from .*/checkpoint-(\d+)$", log(folder), re.MULTILINE)
    return int(match[1]) if match else None


def steps(folder):
    names = (folder / "checkpoints").glob("checkpoint-*")
    return sorted(int(path.name.removeprefix("checkpoint-")) for path in names)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Dropout, schedule and moving average: everything that has a state."""
    encoder = write_tiny_encoder(tmp_path_factory.mktemp("base") / "tiny")
    return TrainSettings(
        base_model=str(encoder),
        epochs=3,
        batch_size=4,
        learning_rate=5e-3,
        warmup_fraction=0.1,
        max_length=32,
        average_decay=0.9,
        checkpoint_steps=4,
        min_int8_agreement=0,
    )


@pytest.fixture(scope="module")
def uninterrupted(settings, small_dataset, tmp_path_factory):
    return finished(settings, small_dataset, tmp_path_factory.mktemp("whole") / "run")


def assert_same_end(folder, uninterrupted):
    assert weights(folder) == weights(uninterrupted)
    assert kept_epoch(folder) == kept_epoch(uninterrupted)


@pytest.mark.slow
def test_killed_again_and_again_it_ends_with_the_same_weights(
    settings, small_dataset, uninterrupted, tmp_path
):
    chance = random.Random(4)  # noqa: S311
    folder = tmp_path / "run"
    reached = 0
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        nth = chance.randint(3, 10)
        status = run(settings, small_dataset, folder, (STEP, nth, killed_by(number)))
        reached += nth
        assert status == STATUS[number]
        if number == signal.SIGTERM:
            assert steps(folder)[-1] == reached
            assert f"stopped at step {reached} after writing its checkpoint" in log(folder)
        else:
            reached = steps(folder)[-1]
        assert not (folder / "model").exists()

    assert_same_end(finished(settings, small_dataset, folder), uninterrupted)


@pytest.mark.parametrize(
    ("place", "nth", "number", "newest"),
    [
        pytest.param(SEAL, 5, signal.SIGKILL, 15, id="while sealing"),
        pytest.param(EVALUATION, 2, signal.SIGKILL, 28, id="while evaluating", marks=SLOW),
        pytest.param(STEP, 30, signal.SIGTERM, 30, id="in an epoch's last step", marks=SLOW),
        pytest.param(EXPORT, 1, signal.SIGTERM, 45, id="while exporting", marks=SLOW),
    ],
)
def test_wherever_it_is_killed_it_ends_with_the_same_weights(
    place, nth, number, newest, settings, small_dataset, uninterrupted, tmp_path
):
    folder = tmp_path / "run"

    assert run(settings, small_dataset, folder, (place, nth, killed_by(number))) == STATUS[number]
    assert_same_end(finished(settings, small_dataset, folder), uninterrupted)
    assert resumed_from(folder) == newest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "nth", "number"), [(STEP, 22, signal.SIGTERM), (EXPORT, 1, signal.SIGKILL)]
)
def test_patience_is_not_regained_by_dying(place, nth, number, settings, small_dataset, tmp_path):
    impatient = replace(settings, epochs=4, patience=1, learning_rate=1e-9)
    whole = finished(impatient, small_dataset, tmp_path / "whole")
    folder = tmp_path / "run"

    assert run(impatient, small_dataset, folder, (place, nth, killed_by(number))) == STATUS[number]
    assert_same_end(finished(impatient, small_dataset, folder), whole)
    assert len(kept_epoch(folder)[0]) == 2


@pytest.mark.slow
def test_all_processes_stop_at_one_step_and_resume_together(settings, small_dataset, tmp_path):
    two = replace(settings, processes=2)
    whole = finished(two, small_dataset, tmp_path / "whole")
    folder = tmp_path / "run"

    process = started(two, small_dataset, folder)
    in_second_epoch = folder / "checkpoints" / "checkpoint-20" / bundle.MANIFEST
    while process.is_alive() and not in_second_epoch.exists():
        time.sleep(0.01)
    process.terminate()
    process.join(timeout=300)

    assert process.exitcode == STATUS[signal.SIGTERM], log(folder)
    newest = steps(folder)[-1]
    states = (folder / "checkpoints" / f"checkpoint-{newest}").glob("rng_state_*.pth")
    assert sorted(path.name for path in states) == ["rng_state_0.pth", "rng_state_1.pth"]
    assert_same_end(finished(two, small_dataset, folder), whole)
    assert resumed_from(folder) == newest


@pytest.fixture(scope="module")
def interrupted(settings, small_dataset, tmp_path_factory):
    """A run with copies of its checkpoints, stopped in its second epoch."""
    folder = tmp_path_factory.mktemp("interrupted") / "run"
    copying = replace(settings, checkpoint_uri=(folder / "copies").as_uri())
    assert run(copying, small_dataset, folder, (STEP, 22, killed_by(signal.SIGTERM))) == 143
    assert steps(folder) == [15, 20, 22]
    return folder


@pytest.fixture
def stopped(interrupted, tmp_path):
    return shutil.copytree(interrupted, tmp_path / "run")


def flip(folder):
    content = bytearray((folder / "optimizer.pt").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "optimizer.pt").write_bytes(content)


def cut(folder):
    os.truncate(folder / "average.safetensors", 99)


def unseal(folder):
    (folder / bundle.MANIFEST).unlink()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(flip, "optimizer.pt differs from its sha256", id="a flipped bit"),
        pytest.param(cut, "average.safetensors differs", id="a file cut short", marks=SLOW),
        pytest.param(unseal, "has no manifest.json", id="no manifest", marks=SLOW),
    ],
)
def test_a_damaged_checkpoint_costs_some_steps_only(
    damage, reason, settings, small_dataset, stopped, uninterrupted
):
    damage(stopped / "checkpoints" / "checkpoint-22")

    assert_same_end(finished(settings, small_dataset, stopped), uninterrupted)
    assert resumed_from(stopped) == 20
    assert "checkpoint-22 is skipped: " in log(stopped)
    assert reason in log(stopped)


def test_another_machine_resumes_from_the_copies(settings, small_dataset, stopped, uninterrupted):
    shutil.rmtree(stopped / "checkpoints")
    copying = replace(settings, checkpoint_uri=(stopped / "copies").as_uri())

    assert_same_end(finished(copying, small_dataset, stopped), uninterrupted)
    assert resumed_from(stopped) == 22


@pytest.mark.slow
def test_killed_while_copying_another_machine_resumes_from_the_copy_before(
    settings, small_dataset, uninterrupted, tmp_path
):
    folder = tmp_path / "run"
    copying = replace(settings, checkpoint_uri=str(folder / "copies"))

    assert run(copying, small_dataset, folder, (COPY, 30, killed_by(signal.SIGKILL))) == -9
    whole = {path.parent.name for path in (folder / "copies").rglob(bundle.MANIFEST)}
    shutil.rmtree(folder / "checkpoints")
    assert_same_end(finished(copying, small_dataset, folder), uninterrupted)
    assert resumed_from(folder) == max(int(name.removeprefix("checkpoint-")) for name in whole)


@pytest.mark.slow
def test_object_storage_that_fails_does_not_stop_the_run(
    settings, small_dataset, stopped, uninterrupted
):
    blocked = stopped / "blocked"
    copying = replace(settings, checkpoint_uri=str(blocked / "copies"))
    breakdown = partial(blocked.write_text, "a file where a folder should be")

    assert run(copying, small_dataset, stopped, (SEAL, 1, breakdown)) == 0
    assert_same_end(stopped, uninterrupted)
    assert f"checkpoint 24 is not copied to {copying.checkpoint_uri}: " in log(stopped)


@pytest.mark.slow
def test_checkpoints_of_other_settings_are_not_used(settings, small_dataset, stopped, tmp_path):
    other = replace(settings, learning_rate=4e-3)
    whole = finished(other, small_dataset, tmp_path / "whole")

    assert_same_end(finished(other, small_dataset, stopped), whole)
    assert resumed_from(stopped) is None
    assert "belongs to a run with other settings, data, tokens or versions" in log(stopped)


def test_a_forged_checkpoint_cannot_run_code(settings, small_dataset, stopped):
    newest = stopped / "checkpoints" / "checkpoint-22"
    facts = bundle.verify(newest).facts
    (newest / "optimizer.pt").write_bytes(pickle.dumps(Forged(stopped / "forged")))
    bundle.seal(newest, facts)

    assert run(settings, small_dataset, stopped) == 1
    assert "Weights only load failed" in log(stopped)
    assert not (stopped / "forged").exists()


class Forged:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return Path.touch, (self._path,)
