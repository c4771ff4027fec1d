"""The deploy step without a server: what it checks, renders, publishes and crowns."""

import io
import json
import tarfile

import pytest
import yaml

from components import storage
from components.artifacts.model import bundle
from components.artifacts.registry import read_champion
from components.artifacts.signatures import verify
from components.artifacts.task import load_task
from components.deploy.inference_service import facts_of
from components.deploy.release import TrainedModel, crown_again, is_champion
from components.deploy.run import deploy
from components.deploy.settings import DeploySettings
from components.errors import ChampionMovedError, InputError
from tests.evaluations import EVALUATION, write_evaluation
from tests.fakes.oci_registry import oci_registry
from tests.keys import new_signer

URI = "gs://models/emotion"
RENDER = DeploySettings(target="render")


@pytest.fixture
def model(sealed_model):
    """A sealed model folder with the labels of the task."""
    bundle.write_labels(sealed_model, bundle.Labels("emotion", load_task("emotion").names, 64, 0))
    bundle.write_manifest(sealed_model, {})
    return sealed_model


@pytest.fixture
def evaluation(tmp_path):
    return write_evaluation(tmp_path / "evaluation.json")


def test_it_renders_only_the_manifest_with_the_facts_about_the_model(model, evaluation, tmp_path):
    output = tmp_path / "deployment"
    deploy(RENDER, TrainedModel(model, URI, evaluation, run_id="run-1"), output)
    assert [each.name for each in output.iterdir()] == ["inference_service.yaml"]
    service = yaml.safe_load((output / "inference_service.yaml").read_text())
    annotations = service["metadata"]["annotations"]
    expected = {
        "model-sha256": storage.sha256(model / bundle.MANIFEST),
        "accuracy": f"{EVALUATION.test.accuracy:.4f}",
        "macro_f1": f"{EVALUATION.test.macro_f1:.4f}",
        "run": "run-1",
        "model-uri": URI,
        "gate": "passed",
    }
    assert {key: annotations[f"emotion-pipeline/{key}"] for key in expected} == expected


def test_a_changed_model_is_refused_before_anything_is_written(model, evaluation, tmp_path):
    (model / bundle.LABELS).write_text("{}")
    with pytest.raises(InputError, match=bundle.LABELS):
        deploy(RENDER, TrainedModel(model, URI, evaluation), tmp_path / "deployment")
    assert not (tmp_path / "deployment").exists()


@pytest.mark.parametrize("run_id", ["", "../run", "a/b", ".hidden", "claims", "runs"])
def test_a_run_whose_model_would_not_lie_in_the_registry_is_refused(
    model, evaluation, tmp_path, run_id
):
    settings = DeploySettings(target="render", registry=str(tmp_path / "models"))
    with pytest.raises(InputError, match=f"run_id={run_id!r}: must be a name"):
        deploy(settings, TrainedModel(model, URI, evaluation, run_id=run_id), tmp_path / "out")
    assert not (tmp_path / "models").exists()
    assert not (tmp_path / "out").exists()


def test_a_model_of_another_task_is_refused(model, evaluation, tmp_path):
    task = tmp_path / "task.yaml"
    labels = [{"name": name, "description": name} for name in ("good", "bad")]
    task.write_text(yaml.safe_dump({"name": "mood", "description": "mood", "labels": labels}))
    settings = DeploySettings(task=str(task), target="render")
    with pytest.raises(InputError, match="not mood's"):
        deploy(settings, TrainedModel(model, URI, evaluation), tmp_path / "deployment")


def test_a_malformed_evaluation_is_refused(model, tmp_path):
    (tmp_path / "evaluation.json").write_text('{"accuracy": 0.9}')
    with pytest.raises(InputError, match=r"evaluation\.json"):
        trained = TrainedModel(model, URI, tmp_path / "evaluation.json")
        deploy(RENDER, trained, tmp_path / "deployment")


@pytest.mark.parametrize(
    ("passed", "uri", "rule"),
    [
        (False, URI, "not passed its gate"),
        (True, "runs/model", "not a place that KServe downloads"),
    ],
)
def test_a_cluster_is_not_asked_for_what_it_cannot_do(model, tmp_path, passed, uri, rule):
    evaluation = write_evaluation(tmp_path / "evaluation.json", passed=passed)
    with pytest.raises(InputError, match=rule):
        trained = TrainedModel(model, uri, evaluation)
        deploy(DeploySettings(target="kserve"), trained, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def registry(tmp_path):
    return tmp_path / "registry"


def release(model, registry, run_id, generation=0):
    """Deploy a model that was compared with the champion of this generation."""
    settings = DeploySettings(target="render", registry=str(registry))
    evaluation = write_evaluation(registry.parent / "evaluation.json", generation=generation)
    trained = TrainedModel(model, URI, evaluation, run_id=run_id)
    deploy(settings, trained, registry.parent / run_id)


def test_a_registry_gets_the_model_and_its_champion(model, registry, tmp_path):
    release(model, registry, "run-1")
    first, generation = read_champion(str(registry))
    assert first.run_id == "run-1"
    served = registry / "run-1" / "serving"
    assert bundle.verify(served).sha256 == first.manifest_sha256
    assert first.model_uri == str(served)
    manifest = yaml.safe_load((tmp_path / "run-1" / "inference_service.yaml").read_text())
    (container,) = manifest["spec"]["predictor"]["containers"]
    assert container["env"] == [{"name": "STORAGE_URI", "value": str(served)}]
    assert is_champion(str(registry), "run-1", first.manifest_sha256)
    assert not is_champion(str(registry), "run-2", first.manifest_sha256)
    assert not is_champion(str(registry), "run-1", "0" * 64)
    assert not is_champion("", "run-1", first.manifest_sha256)

    release(model, registry, "run-2", generation)
    assert read_champion(str(registry))[0].run_id == "run-2"


def test_pods_mount_the_image_and_the_next_run_reads_the_folder(model, registry, tmp_path):
    with oci_registry() as images:
        settings = DeploySettings(
            target="render", registry=str(registry), model_images=images.repository
        )
        evaluation = write_evaluation(tmp_path / "evaluation.json")
        trained = TrainedModel(model, URI, evaluation, run_id="run-1")
        deploy(settings, trained, tmp_path / "run-1")
        digest = images.tags["run-1"]
    manifest = yaml.safe_load((tmp_path / "run-1" / "inference_service.yaml").read_text())
    (container,) = manifest["spec"]["predictor"]["containers"]
    image = f"oci+native://{images.host}/team/emotion@{digest}"
    assert container["env"] == [{"name": "STORAGE_URI", "value": image}]
    assert manifest["metadata"]["annotations"]["emotion-pipeline/model-image"] == image
    served = str(registry / "run-1" / "serving")
    assert read_champion(str(registry))[0].model_uri == served
    # A rollback makes the champion again from what the service says of itself.
    facts = facts_of(manifest)
    assert facts["model-uri"] == served
    crown_again(str(registry), facts)
    assert read_champion(str(registry))[0].model_uri == served


def test_an_image_holds_the_signature_that_the_predictor_demands(model, registry, tmp_path):
    signer = new_signer(tmp_path)
    with oci_registry() as images:
        settings = DeploySettings(
            target="render",
            registry=str(registry),
            model_images=images.repository,
            signing_key=signer.private_key,
        )
        evaluation = write_evaluation(tmp_path / "evaluation.json")
        trained = TrainedModel(model, URI, evaluation, run_id="run-1")
        deploy(settings, trained, tmp_path / "run-1")
        first = dict(images.tags)
        # A key signs differently each time, and the first signature counts.
        deploy(settings, trained, tmp_path / "again")
        assert images.tags == first
        manifest = json.loads(images.manifests[images.tags["run-1"]])
        layer = images.blobs[manifest["layers"][0]["digest"]]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        tar.extractall(tmp_path / "image", filter="data")
    verify(tmp_path / "image" / "models", signer.trust())


def test_without_a_run_the_model_itself_is_the_name_of_its_image(model, evaluation, tmp_path):
    with oci_registry() as images:
        settings = DeploySettings(target="render", model_images=images.repository)
        deploy(settings, TrainedModel(model, URI, evaluation), tmp_path / "out")
        assert list(images.tags) == [f"model-{bundle.verify(model).sha256:.12}"]


def test_a_model_compared_with_an_earlier_champion_does_not_replace_the_present_one(
    model, registry
):
    release(model, registry, "run-1")
    with pytest.raises(ChampionMovedError, match="is run run-1 at generation"):
        release(model, registry, "run-2")
    assert read_champion(str(registry))[0].run_id == "run-1"
    assert not (registry / "run-2").exists()


def test_a_signing_key_signs_what_is_published_and_the_predictor_demands_it(
    model, registry, evaluation, tmp_path
):
    signer = new_signer(tmp_path)
    settings = DeploySettings(
        target="render", registry=str(registry), signing_key=signer.private_key
    )
    deploy(settings, TrainedModel(model, URI, evaluation, run_id="run-1"), tmp_path / "out")

    champion, _ = read_champion(str(registry))
    signature = registry / "run-1" / "serving" / bundle.SIGNATURE
    assert champion.signature_sha256 == storage.sha256(signature)
    verify(signature.parent, signer.trust())
    manifest = yaml.safe_load((tmp_path / "out" / "inference_service.yaml").read_text())
    facts = facts_of(manifest)
    assert facts["signature-sha256"] == champion.signature_sha256
    (container,) = manifest["spec"]["predictor"]["containers"]
    assert f"--public-key={signer.trust().public_key}" in container["args"]

    (registry / "champion.json").unlink()
    crown_again(str(registry), facts)
    assert read_champion(str(registry))[0].signature_sha256 == champion.signature_sha256


def test_a_key_that_cannot_sign_is_refused_before_anything_is_published(
    model, registry, evaluation, tmp_path
):
    settings = DeploySettings(target="render", registry=str(registry), signing_key="none.pem")
    with pytest.raises(InputError, match=r"signing_key='none\.pem': cannot be read"):
        deploy(settings, TrainedModel(model, URI, evaluation, run_id="run-1"), tmp_path / "out")
    assert not (registry / "run-1").exists()
