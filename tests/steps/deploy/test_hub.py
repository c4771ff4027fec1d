"""A model on the hub, published and read back with the hub's own client."""

from dataclasses import replace

import pytest
from huggingface_hub import HfApi, ModelCard, constants, snapshot_download
from transformers import pipeline

from components.artifacts.model import bundle
from components.deploy.hub import publish_on_hub
from components.errors import InputError, WorkError
from components.evaluate.report.card import model_card
from tests.evaluations import EVALUATION
from tests.fakes.hub_repository import COMMIT, NAME, OWNER, TOKEN, HubRepository, serving

REPO = f"{OWNER}/{NAME}"


@pytest.fixture(autouse=True)
def _large_files_by_lfs(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)


@pytest.fixture(scope="module")
def evaluation(model_folder):
    return replace(EVALUATION, model_version=bundle.verify(model_folder).sha256)


def publish(hub, url, model, evaluation, token=TOKEN, **options):
    card = "---\nlicense: apache-2.0\n---\n# Card\n"
    api = HfApi(endpoint=url, token=token)
    return publish_on_hub(model, card, evaluation, REPO, api, **options), hub


def test_the_repository_is_a_model_that_transformers_loads(model_folder, evaluation, tmp_path):
    hub = HubRepository()
    with serving(hub) as url:
        address, _ = publish(hub, url, model_folder, evaluation)
        folder = snapshot_download(REPO, endpoint=url, cache_dir=tmp_path, token=TOKEN)
    assert address.endswith(COMMIT)
    texts = ["i feel so happy today", "i am afraid of the dark", "how could you do that to me"]
    published, here = (
        pipeline("text-classification", model=str(each))(texts)
        for each in (folder, model_folder / "merged")
    )
    assert published == here
    assert {each["label"] for each in here} <= set(bundle.read_labels(model_folder).names)


def test_it_holds_the_model_and_the_card_and_nothing_else(model_folder, evaluation):
    hub = HubRepository()
    with serving(hub) as url:
        publish(hub, url, model_folder, evaluation)
    kept = {"README.md", *bundle.names(model_folder)} - {bundle.MANIFEST}
    assert set(hub.files) == {name.removeprefix("merged/") for name in kept}
    assert hub.files["README.md"].endswith(b"# Card\n")
    assert hub.files["onnx/model.int8.onnx"] == (model_folder / bundle.ONNX["int8"]).read_bytes()
    assert evaluation.model_version[:12] in hub.message


@pytest.mark.parametrize("public", [False, True])
def test_only_who_asks_for_it_makes_a_repository_public(model_folder, evaluation, public):
    hub = HubRepository()
    with serving(hub) as url:
        publish(hub, url, model_folder, evaluation, public=public)
    assert hub.created["visibility"] == ("public" if public else "private")


def test_a_model_that_failed_its_gate_is_not_published(model_folder, evaluation):
    failed = replace(evaluation, verdict=replace(evaluation.verdict, passed=False))
    refused(model_folder, failed, "has not passed its gate")


def test_the_evaluation_of_another_model_is_refused(model_folder):
    refused(model_folder, EVALUATION, "is that of model abababababab, not of")


def test_a_changed_model_is_not_published(model_folder, evaluation, tmp_path):
    (tmp_path / "manifest.json").write_text((model_folder / bundle.MANIFEST).read_text())
    refused(tmp_path, evaluation, "in the manifest but missing")


def refused(model, evaluation, reason):
    hub = HubRepository()
    with serving(hub) as url, pytest.raises(InputError, match=reason):
        publish(hub, url, model, evaluation)
    assert not hub.created
    assert not hub.files


@pytest.mark.parametrize("repo", ["emotion", "a/b/c", "", "a b/c"])
def test_a_name_that_is_no_repository_is_refused(model_folder, evaluation, repo):
    with pytest.raises(InputError, match="is not owner/name"):
        publish_on_hub(model_folder, "", evaluation, repo, HfApi())


def test_an_account_that_may_not_write_is_told_so(model_folder, evaluation):
    hub = HubRepository()
    with serving(hub) as url, pytest.raises(InputError, match=r"refused by the hub .*HF_TOKEN"):
        publish(hub, url, model_folder, evaluation, token="hf_other")  # noqa: S106


def test_a_hub_that_is_down_is_told_so(model_folder, evaluation):
    hub = HubRepository(status=503)
    with serving(hub) as url, pytest.raises(WorkError, match="cannot be written"):
        publish(hub, url, model_folder, evaluation)
    with pytest.raises(WorkError, match="cannot be reached"):
        publish(hub, "http://127.0.0.1:9", model_folder, evaluation)


def test_the_card_of_an_evaluation_passes_the_hubs_parser(evaluation):
    from components.artifacts.dataset import Description

    description = Description(labels=EVALUATION.labels, rows=EVALUATION.rows)
    header = ModelCard(model_card(evaluation, {}, description)).data
    assert header.pipeline_tag == "text-classification"
