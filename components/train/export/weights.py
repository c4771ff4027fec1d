"""The adapter and the merged weights of a trained model, as files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel, get_peft_model_state_dict
from peft.utils import ModulesToSaveWrapper
from safetensors.torch import save_file

from components.artifacts.model import bundle
from components.train.methods.adapters import with_adapter
from components.train.settings import ADAPTER_METHODS, TrainSettings

_WEIGHTS = "adapter_model.safetensors"
_COMMIT_LENGTH = 40


def save_models(
    model: Any,
    tokenizer: Any,
    load_base: Callable[[], Any],
    settings: TrainSettings,
    folder: Path,
) -> Any:
    """Save the adapter, and the merged model with its tokenizer, as safetensors.

    `adapter/` fits the base model as it was loaded: in NF4 for `qlora`, unchanged for `pissa`,
    whose adapter becomes a LoRA of twice the rank. `full` and `head` have no adapter and no such
    folder. `merged/` is an ordinary float32 model; for `qlora` it holds the dequantised weights, so
    that its logits are those of training: they differ by less than 1e-4 where `qlora` computes in
    float32, and by the rounding of bfloat16 elsewhere.

    Args:
        model: The trained model from `with_adapter`; it cannot be used afterwards.
        tokenizer: Its tokenizer.
        load_base: Loads the base model again, as it was before `with_adapter`.
        settings: The settings of its training.
        folder: The model folder.

    Returns:
        The merged model, on the CPU and in evaluation mode.
    """
    merged = model
    if settings.peft_method in ADAPTER_METHODS:
        adapter = folder / bundle.ADAPTER
        _save_adapter(model, load_base, settings, adapter)
        if settings.peft_method == "qlora":
            # Merging into 4-bit weights would round the sum again.
            model = PeftModel.from_pretrained(load_base().dequantize(torch.float32), str(adapter))
        merged = _merge(model)
    merged = merged.eval().cpu()
    merged.save_pretrained(str(folder / bundle.MERGED))
    tokenizer.save_pretrained(str(folder / bundle.MERGED))
    return merged


def _save_adapter(
    model: PeftModel, load_base: Callable[[], Any], settings: TrainSettings, folder: Path
) -> None:
    model.save_pretrained(str(folder))
    # peft's own card is an empty template.
    (folder / "README.md").unlink()
    config = PeftConfig.from_pretrained(str(folder))
    config.base_model_name_or_path = settings.base_model
    if len(settings.base_model_revision) == _COMMIT_LENGTH:
        config.revision = settings.base_model_revision
    if settings.peft_method == "pissa":
        tensors = _as_lora(model, with_adapter(load_base(), settings))
        save_file(tensors, folder / _WEIGHTS, metadata={"format": "pt"})
        config.r, config.lora_alpha = 2 * config.r, 2 * config.lora_alpha
        config.init_lora_weights = True
    # peft keeps names in sets, whose order varies between runs.
    for setting in ("target_modules", "feedforward_modules", "modules_to_save"):
        if names := getattr(config, setting, None):
            setattr(config, setting, sorted(set(names)))
    config.save_pretrained(str(folder))


def _merge(model: PeftModel) -> Any:
    classifier = model.get_base_model()
    # peft's own merge cannot unwrap a head of several layers for (IA)³.
    for path, module in list(classifier.named_modules()):
        if isinstance(module, ModulesToSaveWrapper):
            classifier.set_submodule(path, module.modules_to_save[model.active_adapter])
    return model.merge_and_unload()


def _as_lora(trained: PeftModel, untrained: PeftModel) -> dict[str, torch.Tensor]:
    """Convert an adapter that took over a part of the original weights to one for all of them.

    PiSSA trains BA next to W - B0 A0, so it adds BA - B0 A0 = [B, -B0] [A; A0] to W. peft's
    conversion (`path_initial_model_for_weight_conversion`) does the same, but loses the head.
    """
    initial = get_peft_model_state_dict(untrained)
    converted = {}
    for name, tensor in get_peft_model_state_dict(trained).items():
        parts = [tensor.cpu()]
        if "lora_A" in name:
            parts.append(initial[name])
        elif "lora_B" in name:
            parts.append(-initial[name])
        converted[name] = torch.cat(parts, dim=1 if "lora_B" in name else 0)
    return converted
