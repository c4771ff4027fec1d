"""Fine-tuning methods: which weights are trained, in what form and at which learning rate.

| method | trained in addition to the head | source |
| --- | --- | --- |
| `lora` | two low-rank matrices per linear module | arXiv 2106.09685 |
| `rslora` | the same, scaled by the root of the rank | arXiv 2312.03732 |
| `lora+` | the same, the second matrix at a higher rate | arXiv 2402.12354 |
| `dora` | the same, and the magnitude of each column | arXiv 2402.09353 |
| `pissa` | the same, started from the principal components | arXiv 2404.02948 |
| `qlora` | the same as `lora`, on a base model in 4 bits | arXiv 2305.14314 |
| `ia3` | a factor per inner activation | arXiv 2205.05638 |
| `full` | every weight | |
| `head` | nothing | |
"""

import importlib.util
from collections.abc import Mapping
from typing import Any

import torch
from peft import (
    IA3Config,
    LoraConfig,
    PeftConfig,
    PeftModel,
    TaskType,
    get_peft_model,
    prepare_model_for_kbit_training,
)
from peft.optimizers import create_loraplus_optimizer
from torch.optim import Optimizer
from transformers import BitsAndBytesConfig

from components.artifacts.task import Task
from components.errors import InputError
from components.train.methods.attachments import (
    ATTACHMENTS,
    check_attachment,
    head_of,
    is_named,
    targets_of,
)
from components.train.methods.base_model import Encoder
from components.train.settings import ADAPTER_METHODS, TrainSettings

_FULL: Mapping[str, float] = {"bert": 5e-5, "distilbert": 5e-5, "electra": 1e-4}
_FULL_OTHERWISE = 2e-5
"""The highest rate of the BERT paper (arXiv 1810.04805) for BERT and its smaller relatives; the
rate of ELECTRA-base (arXiv 2003.10555); for the others a rate from the range in which RoBERTa was
fine-tuned, 1e-5 to 3e-5 (arXiv 1907.11692)."""

_LORA: Mapping[str, float] = dict.fromkeys(("bert", "distilbert", "electra", "mpnet"), 1e-3)
_LORA_OTHERWISE = 5e-4
"""The rate of RoBERTa-base in the LoRA paper (arXiv 2106.09685); twice that for encoders with the
recipe of BERT, where 1e-3 was better than 2e-4 with MiniLM."""

# The sources give the direction; the sizes are starting points, not measurements.
_SHARE_OF_LORA: Mapping[str, float] = {
    "lora": 1,
    "qlora": 1,
    # Its authors recommend a slightly lower rate than for LoRA (github.com/NVlabs/DoRA).
    "dora": 0.7,
    # At ranks 8 to 16 its scale is three to four times that of LoRA (arXiv 2312.03732).
    "rslora": 0.5,
    # The rate of A; B's is 16 times as high, so that their geometric mean is LoRA's rate.
    "lora+": 0.25,
    # The matrices start large, so steps change their product at once (arXiv 2404.02948).
    "pissa": 0.2,
}
_ABSOLUTE: Mapping[str, float] = {
    # T-Few's rate (arXiv 2205.05638).
    "ia3": 3e-3,
    # The default of Adam (arXiv 1412.6980).
    "head": 1e-3,
}


def load_classifier(encoder: Encoder, task: Task, settings: TrainSettings) -> Any:
    """Load an encoder with a new head in the precision in which the method trains it.

    For `qlora` the linear modules of the encoder are in NF4 with double quantisation and compute
    in bfloat16 where training does, else in float32. Everything else is in float32.

    Raises:
        InputError: If the encoder cannot be loaded, or `qlora` lacks what it needs.
    """
    if settings.peft_method != "qlora":
        return encoder.classifier(task)
    if importlib.util.find_spec("bitsandbytes") is None:
        fix = "Install bitsandbytes, or choose another method"
        raise InputError("peft_method='qlora'", "needs the package bitsandbytes", fix)
    quantisation = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if uses_bfloat16(settings) else torch.float32,
        llm_int8_skip_modules=list(head_of(encoder.model_type(), settings)),
    )
    classifier = encoder.classifier(task, quantisation)
    for module in classifier.modules():
        # On processors with AVX512-BF16 the first inference packs the weights of a module into a
        # form that cannot be trained.
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return classifier


def with_adapter(model: Any, settings: TrainSettings) -> Any:
    """Prepare a sequence classifier so that only the weights of the method are trained.

    `head` trains the modules that transformers adds to the pretrained encoder: the two-layer heads
    of DistilBERT and RoBERTa and DeBERTa's pooler, but not the pooler of BERT, which is
    pretrained; `head_modules` overrides this.

    Args:
        model: The classifier from `load_classifier`; `pissa` changes its weights.
        settings: Method, its modules and its rank.

    Returns:
        A peft model for `ADAPTER_METHODS`, else the model itself.

    Raises:
        InputError: If the settings do not fit the architecture.
    """
    check_attachment(model, settings)
    if settings.peft_method in ADAPTER_METHODS:
        return _wrapped(model, settings)
    if settings.peft_method == "head":
        model.requires_grad_(False)
        names = head_of(model.config.model_type, settings)
        for path, module in model.named_modules():
            if any(is_named(path, name) for name in names):
                module.requires_grad_(True)
    return model


def _wrapped(model: Any, settings: TrainSettings) -> Any:
    if settings.peft_method == "qlora":
        prepare_model_for_kbit_training(  # type: ignore[no-untyped-call]
            model, use_gradient_checkpointing=False
        )
    # With a name, peft would look it up on the hub at every checkpoint, and record the path of the
    # base model on this machine. The saved adapter gets the name at the end.
    model.name_or_path = ""
    return get_peft_model(model, _config(model.config.model_type, settings))


def _config(model_type: str, settings: TrainSettings) -> PeftConfig:
    targets = list(targets_of(model_type, settings))
    common: dict[str, Any] = {
        "task_type": TaskType.SEQ_CLS,
        "target_modules": targets,
        "modules_to_save": list(head_of(model_type, settings)),
    }
    if settings.peft_method == "ia3":
        known = ATTACHMENTS[model_type].feedforward if model_type in ATTACHMENTS else ()
        feedforward = [name for name in targets if name in known]
        return IA3Config(feedforward_modules=feedforward, **common)
    return LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        use_rslora=settings.peft_method == "rslora",
        use_dora=settings.peft_method == "dora",
        # The exact decomposition, since a resumed run has to reproduce it.
        init_lora_weights="pissa" if settings.peft_method == "pissa" else True,
        **common,
    )


def set_dropout(model: torch.nn.Module, share: float) -> None:
    """Set the dropout inside an encoder and its head."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share


def default_learning_rate(peft_method: str, model_type: str) -> float:
    """Return the peak learning rate of a method, for batches of 16 to 32 texts and AdamW.

    Args:
        peft_method: One of the methods of `TrainSettings`.
        model_type: `model_type` of the transformers configuration.
    """
    if peft_method == "full":
        return _FULL.get(model_type, _FULL_OTHERWISE)
    if peft_method in _ABSOLUTE:
        return _ABSOLUTE[peft_method]
    return _LORA.get(model_type, _LORA_OTHERWISE) * _SHARE_OF_LORA[peft_method]


def loraplus_optimizer(
    model: PeftModel, settings: TrainSettings, kind: type[Optimizer], options: Mapping[str, Any]
) -> Optimizer:
    """Create an optimiser for `lora+`: second matrices and biases learn faster than the rest.

    Args:
        model: A peft model.
        settings: `lora_plus_ratio`, the ratio of the rates, and `weight_decay`.
        kind: Class of the optimiser.
        options: Its options, `lr` (the lower rate) among them, as
            `Trainer.get_optimizer_cls_and_kwargs` gives them.
    """
    return create_loraplus_optimizer(
        model,
        kind,
        loraplus_lr_ratio=settings.lora_plus_ratio,
        loraplus_weight_decay=settings.weight_decay,
        **options,
    )


def uses_bfloat16(settings: TrainSettings) -> bool:
    """Decide whether training computes in bfloat16; `auto` does where the hardware multiplies it.

    Without a GPU these are processors with AVX512-BF16 or AMX: others would only convert it.
    """
    if settings.precision != "auto":
        return settings.precision == "bfloat16"
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return any(bool(able.get(name)) for name in ("avx512_bf16", "amx_bf16"))
