"""Parameter-efficient fine-tuning methods and where they attach in each architecture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peft import LoraConfig, TaskType, get_peft_model

from components.checks import InputError
from components.train.settings import TrainSettings


@dataclass(frozen=True)
class Attachment:
    """Names of modules: those that get an adapter, and those trained in full."""

    adapted: tuple[str, ...]
    head: tuple[str, ...]


_BERT_LIKE = ("query", "key", "value", "intermediate.dense", "output.dense")

ATTACHMENTS: Mapping[str, Attachment] = {
    "bert": Attachment((*_BERT_LIKE, "pooler.dense"), ("classifier",)),
    "distilbert": Attachment(
        ("q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2"), ("pre_classifier", "classifier")
    ),
    "roberta": Attachment(_BERT_LIKE, ("classifier",)),
    "xlm-roberta": Attachment(_BERT_LIKE, ("classifier",)),
    "electra": Attachment(_BERT_LIKE, ("classifier",)),
    "mpnet": Attachment(
        ("attn.q", "attn.k", "attn.v", "attn.o", "intermediate.dense", "output.dense"),
        ("classifier",),
    ),
    "deberta": Attachment(
        ("in_proj", "intermediate.dense", "output.dense"), ("pooler", "classifier")
    ),
    "deberta-v2": Attachment(
        ("query_proj", "key_proj", "value_proj", "intermediate.dense", "output.dense"),
        ("pooler", "classifier"),
    ),
}
"""By `model_type` of the transformers configuration."""


def with_adapter(model: Any, settings: TrainSettings) -> Any:
    """Wrap a sequence classifier so that only its adapter and its head are trained.

    Methods: LoRA (arXiv 2106.09685), rank-stabilised LoRA (arXiv 2312.03732) and
    DoRA (arXiv 2402.09353).

    Raises:
        InputError: If the architecture is not known.
    """
    attachment = ATTACHMENTS.get(model.config.model_type)
    if attachment is None:
        known = ", ".join(ATTACHMENTS)
        rule = "is an architecture whose modules are not known"
        raise InputError(f"base model of type {model.config.model_type!r}", rule, f"Use {known}")
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS,
        base_model_name_or_path=settings.base_model,
        revision=settings.base_model_revision or None,
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=list(attachment.adapted),
        modules_to_save=list(attachment.head),
        use_rslora=settings.peft_method == "rslora",
        use_dora=settings.peft_method == "dora",
    )
    # peft would record where the base model happens to lie on this machine.
    model.name_or_path = settings.base_model
    return get_peft_model(model, config)
