"""What a training tells the controller of its TrainJob, if that wants to know."""

import pytest
from kubeflow_trainer_api.models.trainer_v1alpha1_update_train_job_status_request import (
    TrainerV1alpha1UpdateTrainJobStatusRequest as Update,
)
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from components.train.fine_tuning import fine_tune
from components.train.search.space import METRIC
from components.train.settings import TrainSettings
from tests.fakes.http_server import running
from tests.tiny_encoder import write_tiny_encoder


@pytest.fixture
def reports(monkeypatch, tmp_path):
    """The updates that arrive, as the controller's own type reads them."""
    updates = []

    async def update(request: Request) -> JSONResponse:
        assert request.headers["authorization"] == "Bearer a-token"
        body = await request.json()
        assert Update.from_dict(body).to_dict().keys() == body.keys()
        updates.append(Update.from_dict(body).trainer_status)
        return JSONResponse(body)

    (tmp_path / "token").write_text("a-token\n")
    monkeypatch.setenv("KUBEFLOW_TRAINER_SERVER_TOKEN", str(tmp_path / "token"))
    with running([Route("/status", update, methods=["POST"])]) as url:
        monkeypatch.setenv("KUBEFLOW_TRAINER_SERVER_URL", f"{url}/status")
        yield updates


def train(dataset, folder, epochs):
    write_tiny_encoder(folder / "encoder")
    settings = TrainSettings(
        base_model=str(folder / "encoder"), max_length=64, epochs=epochs, min_int8_agreement=0
    )
    return fine_tune(settings, dataset, folder / "model", folder / "checkpoints")


def test_the_last_update_has_the_score_that_a_search_maximises(reports, dataset_folder, tmp_path):
    history = train(dataset_folder, tmp_path, epochs=2)
    last = {each.name: float(each.value) for each in reports[-1].metrics}
    assert last[METRIC] == history.best["macro_f1"]
    assert reports[0].progress_percentage == 0
    assert reports[-1].progress_percentage == 100


def test_a_controller_that_does_not_answer_does_not_stop_a_training(
    monkeypatch, dataset_folder, tmp_path
):
    monkeypatch.setenv("KUBEFLOW_TRAINER_SERVER_URL", "http://127.0.0.1:9/status")
    assert train(dataset_folder, tmp_path, epochs=1).best
