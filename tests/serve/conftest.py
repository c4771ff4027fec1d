from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from components.deploy.predictor_process import running_predictor
from components.processes import free_port

V1 = "/v1/models/emotion:predict"


@dataclass(frozen=True)
class Predictor:
    """A predictor process that all tests share which only ask it."""

    url: str
    grpc: str


@pytest.fixture(scope="session")
def predictor(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Predictor]:
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


@pytest.fixture
def bounded(model_folder: Path, tmp_path: Path):
    """Starts predictors with settings of a test's own; gives their URL."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(*options: str) -> str:
            log = tmp_path / "predictor.log"
            return stack.enter_context(
                running_predictor(model_folder, "emotion", log, options=options)
            )

        yield start
