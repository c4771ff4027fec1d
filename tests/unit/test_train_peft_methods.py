import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from components.checks import InputError
from components.train.peft_methods import ATTACHMENTS, with_adapter
from components.train.settings import TrainSettings

LABELS = 3
SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
}
DISTILBERT_SIZES = {"vocab_size": 50, "dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2}


def tiny(architecture):
    sizes = DISTILBERT_SIZES if architecture == "distilbert" else SIZES
    config = AutoConfig.for_model(architecture, num_labels=LABELS, **sizes)
    return AutoModelForSequenceClassification.from_config(config)


def layer_linears(model):
    """The linear modules of attention and feed-forward layers: those inside the encoder."""
    return {
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and ".layer." in name
    }


@pytest.mark.parametrize("method", ["lora", "rslora", "dora"])
@pytest.mark.parametrize("architecture", ATTACHMENTS)
def test_every_layer_gets_an_adapter_and_beside_them_only_the_head_is_trained(architecture, method):
    model = tiny(architecture)
    layers = layer_linears(model)
    outside = {name for name, _ in model.named_parameters() if ".layer." not in name}
    adapted = with_adapter(model, TrainSettings(peft_method=method))
    trained = {
        name.removeprefix("base_model.model.")
        for name, tensor in adapted.named_parameters()
        if tensor.requires_grad
    }

    assert len(layers) >= 2 * 4
    assert layers <= {name.partition(".lora_A.")[0] for name in trained if ".lora_A." in name}
    assert any("lora_magnitude" in name for name in trained) == (method == "dora")
    in_full = {
        name.replace(".modules_to_save.default", "") for name in trained if "lora_" not in name
    }
    head = ATTACHMENTS[architecture].head
    assert in_full == {name for name in outside if name.startswith(head)}


def test_rank_stabilised_lora_scales_by_the_root_of_the_rank():
    def scaling(method):
        settings = TrainSettings(peft_method=method, lora_rank=16, lora_alpha=32)
        model = with_adapter(tiny("bert"), settings)
        return model.base_model.model.bert.encoder.layer[0].attention.self.query.scaling["default"]

    assert scaling("lora") == pytest.approx(2)
    assert scaling("rslora") == pytest.approx(8)


def test_an_unknown_architecture_is_refused_with_the_known_ones():
    model = tiny("bert")
    model.config.model_type = "gpt2"

    with pytest.raises(InputError, match=r"type 'gpt2': .* Use bert, distilbert, roberta"):
        with_adapter(model, TrainSettings())
