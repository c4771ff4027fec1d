from pathlib import Path

import httpx
import pytest

from components.deploy.predictor_process import running_predictor


@pytest.fixture(scope="session")
def predictor_url(model_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    """Base URL of one predictor process, shared by all tests that only ask it."""
    log = tmp_path_factory.mktemp("predictor") / "predictor.log"
    with running_predictor(model_folder, "emotion", log) as url:
        yield url


@pytest.fixture(scope="session")
def client(predictor_url: str):
    with httpx.Client(base_url=predictor_url, timeout=60.0, trust_env=False) as client:
        yield client
