"""What an encoder's files declare is what transformers makes of them."""

import json
import re
from dataclasses import replace
from importlib import resources

import pytest
from transformers import AutoConfig, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

from components.errors import InputError
from components.train.methods.attachments import ATTACHMENTS
from components.train.methods.declared import (
    positions_of,
    require_declared,
    require_files,
    too_long,
)
from components.train.settings import TrainSettings
from tests.tiny_encoder import write_tiny_encoder

SETTINGS = TrainSettings(max_length=32)
PADDING = {"strategy": "BatchLongest", "pad_id": 0, "pad_token": "[PAD]"}
CONFIG = {"model_type": "bert", "max_position_embeddings": 64}


def declared(settings=SETTINGS, **files):
    """Look at an encoder of these files, given as what their JSON holds."""
    content = {f"{name}.json": json.dumps(each).encode() for name, each in files.items()}
    require_declared("base", lambda name: content.get(name, b""), settings)


def test_the_architectures_are_those_of_transformers():
    known = (resources.files("components.train.methods") / "architectures.txt").read_text()
    assert set(known.split()) == set(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES)
    assert set(ATTACHMENTS) <= set(known.split())


@pytest.mark.parametrize("architecture", sorted(ATTACHMENTS))
def test_positions_that_a_config_leaves_out_are_those_of_transformers(architecture):
    whole = AutoConfig.for_model(architecture).to_dict()
    assert positions_of({"model_type": architecture}) == positions_of(whole)


@pytest.mark.parametrize("config", [{"position_biased_input": False}, {"model_type": "albert"}])
def test_what_only_trying_tells_is_left_to_it(config):
    config = {"model_type": "deberta-v2", "max_position_embeddings": 16, **config}
    assert positions_of(config) is None


@pytest.mark.parametrize(
    ("changed", "settings", "message"),
    [
        ({"max_position_embeddings": 31}, {}, str(too_long("base", 32, 31))),
        ({"model_type": None}, {}, "base: has no model_type"),
        ({"model_type": "brt"}, {"peft_method": "full"}, "no classifier of. Use one of bert"),
        ({"model_type": "own", "auto_map": {}}, {}, "code that comes with a model is not run"),
        ({"model_type": "modernbert"}, {}, "Set target_modules and head_modules, or use bert"),
        ({"model_type": "modernbert"}, {"peft_method": "head"}, "Set head_modules, or use bert"),
        ({"num_hidden_layers": 1}, {"distill": True}, "student_layers=2: is more than the 1 lay"),
        ({"n_layers": 1}, {"distill": True}, "Choose at most 1"),
        (
            {"model_type": "albert"},
            {"distill": True, "peft_method": "full"},
            "is of type 'albert', of which no student can be made. Set distill=False, or use one",
        ),
    ],
)
def test_a_config_that_training_would_refuse_is_refused(changed, settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        declared(replace(SETTINGS, **settings), config={**CONFIG, **changed})
    declared(config=CONFIG)
    declared(replace(SETTINGS, distill=True), config={**CONFIG, "num_hidden_layers": 2})
    declared(replace(SETTINGS, peft_method="full"), config={"model_type": "modernbert"})


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ({"model_max_length": 31}, "max_length=32"),
        ({"model_max_length": "512"}, "model_max_length='512': must be a number of tokens"),
        ([], "tokenizer_config.json: must hold names and values"),
    ],
)
def test_a_tokenizer_that_training_would_refuse_is_refused(tokens, message):
    with pytest.raises(InputError, match=message):
        declared(config=CONFIG, tokenizer_config=tokens)
    with pytest.raises(InputError, match=r"base, config.json: is not JSON"):
        require_declared("base", lambda _: b"<html>", SETTINGS)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return write_tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.mark.parametrize("kind", ["PreTrainedTokenizerFast", "BertTokenizer"])
@pytest.mark.parametrize(
    ("config", "special", "padding"),
    [
        ({}, {}, None),
        ({}, {}, PADDING),
        ({}, {"pad_token": "[PAD]"}, None),
        ({"pad_token": None}, {}, PADDING),
        ({"pad_token": None}, {"pad_token": "[PAD]"}, None),
        ({"pad_token": "[PAD]"}, {}, None),
    ],
)
def test_a_tokenizer_is_refused_if_transformers_knows_no_padding_of_it(
    kind, config, special, padding, encoder, tmp_path
):
    whole = json.loads((encoder / "tokenizer.json").read_text())
    files = {
        "config": json.loads((encoder / "config.json").read_text()),
        "tokenizer": {**whole, "padding": padding and {**whole["padding"], **padding}},
        "tokenizer_config": {"tokenizer_class": kind, **config},
        "special_tokens_map": special,
    }
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    if AutoTokenizer.from_pretrained(tmp_path).pad_token_id is not None:
        declared(**files)
    else:
        with pytest.raises(InputError, match="base: has a tokenizer without a padding token"):
            declared(**files)


def test_a_hub_model_may_have_its_weights_in_several_files():
    shards = {"config.json", "model.safetensors.index.json", "vocab.txt"}
    require_files("base", shards, is_on_hub=True)
    with pytest.raises(InputError, match="has its weights in several files"):
        require_files("base", shards)
    with pytest.raises(InputError, match=r"has no model\.safetensors"):
        require_files("base", {"config.json", "pytorch_model.bin"}, is_on_hub=True)
