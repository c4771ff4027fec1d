import pytest
import torch
from transformers import AutoModelForSequenceClassification, GPT2Config

from components.errors import InputError
from components.train.methods.adapters import uses_bfloat16, with_adapter
from components.train.methods.attachments import ATTACHMENTS
from components.train.settings import ADAPTER_METHODS, TrainSettings
from tests.tiny_encoder import tiny_classifier

# qlora differs from lora in loading: tests/steps/train/test_methods.py.
LORA_METHODS = sorted(set(ADAPTER_METHODS) - {"ia3", "qlora"})


def layer_linears(model):
    """The linear modules of attention and feed-forward layers: those inside the encoder."""
    return {
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and ".layer." in name
    }


def head_weights(model):
    """What transformers adds to the pretrained encoder."""
    prefix = model.base_model_prefix + "."
    return {name for name, _ in model.named_parameters() if not name.startswith(prefix)}


def trained_weights(model):
    return {
        name.removeprefix("base_model.model.").replace(".modules_to_save.default", "")
        for name, tensor in model.named_parameters()
        if tensor.requires_grad
    }


@pytest.mark.parametrize("method", LORA_METHODS)
@pytest.mark.parametrize("architecture", ATTACHMENTS)
def test_every_layer_gets_an_adapter_and_otherwise_only_the_head_is_trained(architecture, method):
    model = tiny_classifier(architecture)
    layers, head = layer_linears(model), head_weights(model)
    trained = trained_weights(with_adapter(model, TrainSettings(peft_method=method)))

    assert len(layers) >= 2 * 4
    assert layers <= {name.partition(".lora_A.")[0] for name in trained if ".lora_A." in name}
    assert any("lora_magnitude" in name for name in trained) == (method == "dora")
    assert {name for name in trained if "lora_" not in name} == head


@pytest.mark.parametrize("architecture", ATTACHMENTS)
def test_ia3_scales_two_places_of_every_layer_and_trains_the_head(architecture):
    model = tiny_classifier(architecture)
    head = head_weights(model)
    adapted = with_adapter(model, TrainSettings(peft_method="ia3"))
    factors = {
        name: module
        for name, module in adapted.named_modules()
        if hasattr(module, "is_feedforward")
    }

    assert {name for name in trained_weights(adapted) if "ia3_l" not in name} == head
    for layer in ("layer.0.", "layer.1."):
        of_layer = [module for name, module in factors.items() if layer in name]
        assert {module.is_feedforward for module in of_layer} == {True, False}
        assert any(module.is_feedforward and module.in_features == 64 for module in of_layer)


@pytest.mark.parametrize("architecture", ATTACHMENTS)
def test_the_method_head_trains_what_transformers_adds_and_full_trains_all(architecture):
    model = tiny_classifier(architecture)
    everything = {name for name, _ in model.named_parameters()}

    assert trained_weights(with_adapter(model, TrainSettings(peft_method="full"))) == everything
    head = trained_weights(with_adapter(model, TrainSettings(peft_method="head")))
    assert head == head_weights(model)


def test_rank_stabilised_lora_scales_by_the_root_of_the_rank():
    def scaling(method):
        settings = TrainSettings(peft_method=method, lora_rank=16, lora_alpha=32)
        model = with_adapter(tiny_classifier("bert"), settings)
        return model.base_model.model.bert.encoder.layer[0].attention.self.query.scaling["default"]

    assert scaling("lora") == pytest.approx(2)
    assert scaling("rslora") == pytest.approx(8)


@pytest.mark.parametrize("method", ["lora", "ia3"])
def test_modules_can_be_chosen(method):
    settings = TrainSettings(
        peft_method=method, target_modules=["attention.output.dense"], head_modules=["pooler"]
    )
    trained = trained_weights(with_adapter(tiny_classifier("bert"), settings))
    adapted = {name.partition(".lora_")[0].partition(".ia3_")[0] for name in trained}

    in_full = {
        f"{name}.{part}"
        for name in ("bert.pooler.dense", "classifier")
        for part in ("weight", "bias")
    }
    assert adapted - in_full == {f"bert.encoder.layer.{n}.attention.output.dense" for n in (0, 1)}
    assert adapted >= in_full


def test_a_module_is_not_both_adapted_and_trained_in_full():
    settings = TrainSettings(head_modules=["pooler", "classifier"])

    trained = trained_weights(with_adapter(tiny_classifier("bert"), settings))
    assert {name for name in trained if "pooler" in name} == {
        "bert.pooler.dense.weight",
        "bert.pooler.dense.bias",
    }


def test_an_unknown_architecture_is_refused_with_the_known_ones():
    for method in ("lora", "ia3", "head"):
        with pytest.raises(
            InputError, match=r"type 'albert': .*, or use bert, distilbert, roberta"
        ):
            with_adapter(tiny_classifier("albert"), TrainSettings(peft_method=method))


def test_all_the_modules_that_have_to_be_named_are_asked_for_at_once():
    needed = {
        "target_modules and head_modules": TrainSettings(),
        "head_modules": TrainSettings(target_modules=["query"]),
        "target_modules": TrainSettings(head_modules=["classifier"]),
    }
    for names, settings in needed.items():
        with pytest.raises(InputError, match=rf"known\. Set {names}, or use"):
            with_adapter(tiny_classifier("albert"), settings)
    with pytest.raises(InputError, match=r"known\. Set head_modules, or use"):
        with_adapter(tiny_classifier("albert"), TrainSettings(peft_method="head"))


def test_a_model_without_linear_modules_gets_no_adapter():
    config = GPT2Config(vocab_size=50, n_embd=32, n_layer=1, n_head=2)
    model = AutoModelForSequenceClassification.from_config(config)
    settings = TrainSettings(target_modules=["c_attn"], head_modules=["score"])

    with pytest.raises(InputError, match=r"this gpt2\. It has none: choose peft_method=full"):
        with_adapter(model, settings)


def test_an_unknown_architecture_is_taken_with_its_modules():
    settings = TrainSettings(target_modules=["query", "value"], head_modules=["classifier"])

    assert trained_weights(
        with_adapter(tiny_classifier("albert"), TrainSettings(peft_method="full"))
    )
    for method in ("lora", "ia3"):
        chosen = TrainSettings(
            peft_method=method,
            target_modules=settings.target_modules,
            head_modules=settings.head_modules,
        )
        trained = trained_weights(with_adapter(tiny_classifier("albert"), chosen))
        assert {name for name in trained if "lora_" not in name and "ia3_" not in name} == {
            "classifier.weight",
            "classifier.bias",
        }


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"target_modules": ["q_lin", "query"]}, r"target_modules=\['q_lin'\]: names no linear .*"),
        ({"target_modules": ["attention"]}, r"\['attention'\]: .* bert\. Use dense, key, query, v"),
        ({"target_modules": ["uery"]}, r"target_modules=\['uery'\]"),
        (
            {"target_modules": ["classifier"]},
            r"\['classifier'\]: names no linear module outside the head",
        ),
        ({"head_modules": ["score"]}, r"head_modules=\['score'\]: names no module of this bert\."),
        ({"lora_rank": 33}, r"lora_rank=33: exceeds the largest rank of bert\.\S+, which is 32"),
        ({"lora_rank": 33, "peft_method": "pissa"}, "lora_rank=33"),
        ({"head_modules": ["score"], "peft_method": "head"}, "head_modules"),
    ],
)
def test_modules_and_ranks_that_the_model_does_not_have_are_refused(choice, message):
    with pytest.raises(InputError, match=message):
        with_adapter(tiny_classifier("bert"), TrainSettings(**choice))


def test_gradient_checkpointing_is_refused_where_transformers_has_none():
    settings = TrainSettings(gradient_checkpointing=True)

    with pytest.raises(InputError, match=r"gradient_checkpointing=True: .* for mpnet"):
        with_adapter(tiny_classifier("mpnet"), settings)
    with_adapter(tiny_classifier("bert"), settings)


@pytest.mark.parametrize(
    ("capabilities", "used"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"avx512_bf16": False, "amx_bf16": False, "avx512_f": True}, False),
        ({"neon": True}, False),
    ],
)
def test_without_a_gpu_the_processor_decides_on_bfloat16(monkeypatch, capabilities, used):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert uses_bfloat16(TrainSettings()) is used
    assert uses_bfloat16(TrainSettings(precision="bfloat16"))
    assert not uses_bfloat16(TrainSettings(precision="float32"))
