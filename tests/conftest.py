"""A real data set and a real trained model, made once for all tests."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.task import load_task
from components.train.run import train
from components.train.settings import TrainSettings


@pytest.fixture(scope="session")
def synthetic_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic rows as generate writes them: here, the task's own examples."""
    labels = load_task("emotion").labels
    rows = [{"text": text, "label": each.name} for each in labels for text in each.examples]
    path = tmp_path_factory.mktemp("synthetic") / "synthetic_emotions.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def dataset_folder(synthetic_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded sample, merged with the synthetic rows."""
    folder = tmp_path_factory.mktemp("merged") / "dataset"
    merge(MergeSettings(dataset="sample"), [synthetic_file.parent], folder)
    return folder


@pytest.fixture(scope="session")
def model_folder(dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the sample for two epochs."""
    folder = tmp_path_factory.mktemp("trained")
    settings = TrainSettings(epochs=2)
    train(settings, dataset_folder, folder / "model", folder / "checkpoints")
    return folder / "model"


@pytest.fixture(scope="session")
def small_dataset(dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten rows of each label."""
    folder = shutil.copytree(dataset_folder, tmp_path_factory.mktemp("small") / "dataset")
    for split in ("train", "validation"):
        rows = pd.read_parquet(folder / f"{split}.parquet")
        rows.groupby("label").head(10).to_parquet(folder / f"{split}.parquet", index=False)
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-requests", type=int, default=2000, help="requests of the fuzz tests")
