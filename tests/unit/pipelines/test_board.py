"""Trainings as TensorBoard reads them, asked with its own reader."""

import json

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from components.artifacts.model import bundle
from components.errors import InputError
from pipelines.local.board import read_training, write_events
from tests.evaluations import HISTORY

SETTINGS = {"epochs": 1, "peft_method": "lora", "target_modules": ["query"]}


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "run" / "emotion_lora_model"
    folder.mkdir(parents=True)
    HISTORY.write(folder)
    bundle.seal(folder, {"settings": SETTINGS})
    return folder


def read(folder):
    return EventAccumulator(str(folder)).Reload()


def test_every_measurement_stands_at_its_step(tmp_path):
    write_events(HISTORY, SETTINGS, tmp_path)
    board = read(tmp_path)
    points = {tag: [(each.step, each.value) for each in board.Scalars(tag)] for tag in TAGS}
    assert points["train/loss"] == [(1, 2.0), (2, 1.0)]
    assert points["validation/accuracy"] == [(2, pytest.approx(0.7))]
    assert points["train/learning_rate"] == [(1, pytest.approx(1e-3))]


TAGS = ("train/loss", "train/learning_rate", "validation/accuracy")


def test_settings_stand_where_runs_are_compared_by_them(tmp_path):
    write_events(HISTORY, SETTINGS, tmp_path)
    content = read(tmp_path).PluginTagToContent(metadata.PLUGIN_NAME)
    start = metadata.parse_session_start_info_plugin_data(content["_hparams_/session_start_info"])
    assert start.hparams["epochs"].number_value == 1
    assert start.hparams["peft_method"].string_value == "lora"
    assert "target_modules" not in start.hparams


@pytest.mark.parametrize("of_run", [True, False])
def test_a_training_is_read_from_a_run_or_a_model(model, tmp_path, of_run):
    history, settings = read_training(str(model.parent if of_run else model), tmp_path / "scratch")
    assert history == HISTORY
    assert settings == SETTINGS


def test_a_folder_without_a_training_is_named(tmp_path):
    with pytest.raises(InputError, match=r"run .*history\.json, so nothing has been trained"):
        read_training(str(tmp_path), tmp_path / "scratch")


def test_a_broken_manifest_is_named(model, tmp_path):
    (model / bundle.MANIFEST).write_text(json.dumps([]))
    with pytest.raises(InputError, match="is not a manifest"):
        read_training(str(model), tmp_path / "scratch")
