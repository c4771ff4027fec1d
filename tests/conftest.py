"""A real data set and a real trained model, made once for all tests; places to store them."""

import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from components import bundle
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


@pytest.fixture
def sealed_model(tmp_path: Path) -> Path:
    """A sealed model folder whose weights are none."""
    folder = tmp_path / "model"
    (folder / "onnx").mkdir(parents=True)
    (folder / bundle.ONNX["int8"]).write_bytes(b"weights")
    bundle.write_labels(folder, bundle.Labels("emotion", ("joy", "anger"), 64, 0))
    bundle.write_manifest(folder, {})
    return folder


@pytest.fixture(scope="module")
def gs_bucket() -> Iterator[str]:
    """A bucket of fake-gcs-server."""
    from tests.fakes.object_storage import object_storage

    with object_storage() as uri:
        yield uri


@pytest.fixture(scope="module")
def s3_bucket() -> Iterator[str]:
    """A bucket of moto's S3."""
    from tests.fakes.object_storage import s3_storage

    with s3_storage() as uri:
        yield uri


@pytest.fixture(params=["file", "gs", "s3"])
def folder_uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty folder on a disk and in each object storage."""
    if request.param == "file":
        return (tmp_path / "some folder").as_uri()
    return f"{request.getfixturevalue(f'{request.param}_bucket')}/{uuid.uuid4()}/folder"
