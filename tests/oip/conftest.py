"""A small model's predictor, the protocol as published, and the answer that every client gets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.train.fine_tuning import fine_tune
from components.train.settings import TrainSettings
from tests.cluster.programs.build import source
from tests.oip.asking import TEXTS, Expected
from tests.oip.relay import Relay, running_relay
from tests.serve.asking import ask


@pytest.fixture(scope="session")
def model_folder(small_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learnt little: protocols do not depend on what it says."""
    folder = tmp_path_factory.mktemp("trained")
    settings = TrainSettings(epochs=1, min_int8_agreement=0)
    fine_tune(settings, small_dataset, folder / "model", folder / "checkpoints")
    return folder / "model"


@pytest.fixture(scope="session")
def published() -> Path:
    """The folder of the protocol's files in the Go module of KServe."""
    return source("kserve", "github.com/kserve/kserve") / "docs" / "predict-api" / "v2"


@pytest.fixture(scope="session")
def expected(predictor_url: str) -> Expected:
    """The predictions of the texts over V1, and the version that made them."""
    answer = ask(predictor_url, TEXTS).raise_for_status().json()
    predictions = answer["predictions"]
    probabilities = [list(each["probabilities"].values()) for each in predictions]
    return Expected(answer["model_version"], [each["label"] for each in predictions], probabilities)


@pytest.fixture
def relay(predictor_url: str) -> Iterator[Relay]:
    """The predictor behind a relay that counts connections."""
    with running_relay(predictor_url) as running:
        yield running
