"""The modules of each architecture that fine-tuning methods attach to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from components.errors import InputError
from components.train.settings import ADAPTER_METHODS, WHOLE_METHODS, TrainSettings


@dataclass(frozen=True)
class Attachment:
    """Names of modules, which match as `is_named` says.

    Args:
        adapted: Linear modules that get low-rank matrices.
        scaled: Linear modules whose outputs (IA)³ scales.
        feedforward: Linear modules whose inputs (IA)³ scales.
        head: Modules trained in full, which transformers adds to the pretrained encoder.
    """

    adapted: tuple[str, ...] = ()
    scaled: tuple[str, ...] = ()
    feedforward: tuple[str, ...] = ()
    head: tuple[str, ...] = ()


_BERT_LINEARS = ("query", "key", "value", "intermediate.dense", "output.dense")
_ROBERTA = Attachment(_BERT_LINEARS, ("key", "value"), ("output.dense",), ("classifier",))

ATTACHMENTS: Mapping[str, Attachment] = {
    # BERT's pooler is part of the pretrained encoder, so it is adapted like any other layer.
    "bert": Attachment(
        (*_BERT_LINEARS, "pooler.dense"), ("key", "value"), ("output.dense",), ("classifier",)
    ),
    "distilbert": Attachment(
        ("q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2"),
        ("k_lin", "v_lin"),
        ("lin2",),
        ("pre_classifier", "classifier"),
    ),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "electra": _ROBERTA,
    "mpnet": Attachment(
        ("attn.q", "attn.k", "attn.v", "attn.o", "intermediate.dense", "output.dense"),
        ("attn.k", "attn.v"),
        ("output.dense",),
        ("classifier",),
    ),
    "deberta": Attachment(
        ("in_proj", "intermediate.dense", "output.dense"),
        ("in_proj",),
        ("output.dense",),
        ("pooler", "classifier"),
    ),
    "deberta-v2": Attachment(
        ("query_proj", "key_proj", "value_proj", "intermediate.dense", "output.dense"),
        ("key_proj", "value_proj"),
        ("output.dense",),
        ("pooler", "classifier"),
    ),
}
"""By `model_type` of the transformers configuration. (IA)³ attaches to keys, values and the second
feed-forward layer, as in arXiv 2205.05638 and in peft's own table."""


def head_of(model_type: str, settings: TrainSettings) -> tuple[str, ...]:
    """Return the names of the modules that are trained in full: those chosen, else those known."""
    known = ATTACHMENTS.get(model_type, Attachment()).head
    return _chosen(settings, "head_modules", known, model_type)


def targets_of(model_type: str, settings: TrainSettings) -> tuple[str, ...]:
    """Return the names of the modules that get an adapter: those chosen, else those known."""
    attachment = ATTACHMENTS.get(model_type, Attachment())
    known = attachment.adapted
    if settings.peft_method == "ia3":
        known = attachment.scaled + attachment.feedforward
    return _chosen(settings, "target_modules", known, model_type)


def require_known_modules(model_type: str, settings: TrainSettings) -> None:
    """Refuse an architecture whose modules are neither chosen nor known.

    Raises:
        InputError: If the method needs such modules.
    """
    if settings.peft_method != "full":
        head_of(model_type, settings)
    if settings.peft_method in ADAPTER_METHODS:
        targets_of(model_type, settings)


def check_attachment(model: Any, settings: TrainSettings) -> None:
    """Refuse settings that cannot be applied to a model.

    Args:
        model: A transformers sequence classifier.
        settings: Method, its modules and its rank.

    Raises:
        InputError: If a module is neither chosen nor known or is not in the model, the rank exceeds
            the size of a module, or the model does not support gradient checkpointing.
    """
    # Preflight reads the table above where there is no torch.
    import torch

    model_type = model.config.model_type
    if settings.gradient_checkpointing and not model.supports_gradient_checkpointing:
        rule = f"is not supported by transformers for {model_type}"
        raise InputError("gradient_checkpointing=True", rule, "Leave it out")
    if settings.peft_method == "full":
        return
    modules = dict(model.named_modules())
    head = head_of(model_type, settings)
    _require_present("head_modules", settings.head_modules, modules, model_type)
    if settings.peft_method in WHOLE_METHODS:
        return
    outside = {
        path: module
        for path, module in modules.items()
        if isinstance(module, torch.nn.Linear) and not _is_inside(path, head)
    }
    targets = targets_of(model_type, settings)
    _require_present("target_modules", settings.target_modules, outside, model_type)
    if settings.peft_method != "ia3":
        _require_rank(settings.lora_rank, targets, outside)


def is_named(path: str, name: str) -> bool:
    """Match a module's path in the model with a name: equal, or ending in a dot and the name."""
    return f".{path}".endswith(f".{name}")


def _chosen(
    settings: TrainSettings, setting: str, known: tuple[str, ...], model_type: str
) -> tuple[str, ...]:
    choice = tuple(getattr(settings, setting))
    if not choice and not known:
        adapts = settings.peft_method not in WHOLE_METHODS
        needed = ("target_modules", "head_modules") if adapts else ("head_modules",)
        unset = " and ".join(name for name in needed if not getattr(settings, name))
        rule = "has an architecture whose modules are not known"
        fix = f"Set {unset}, or use {', '.join(ATTACHMENTS)}"
        raise InputError(f"base model of type {model_type!r}", rule, fix)
    return choice or known


def _require_present(
    setting: str, names: Iterable[str], modules: Mapping[str, Any], model_type: str
) -> None:
    unknown = [name for name in names if not any(is_named(path, name) for path in modules)]
    if unknown:
        present = sorted({path.rpartition(".")[2] for path in modules} - {""})
        what = "linear module outside the head" if setting == "target_modules" else "module"
        known = ", ".join(name for name in present if not name.isdigit())
        fix = f"Use {known}" if known else "It has none: choose peft_method=full"
        raise InputError(f"{setting}={unknown}", f"names no {what} of this {model_type}", fix)


def _require_rank(rank: int, targets: Iterable[str], modules: Mapping[str, Any]) -> None:
    for path, module in modules.items():
        most = min(module.in_features, module.out_features)
        if rank > most and any(is_named(path, name) for name in targets):
            rule = f"exceeds the largest rank of {path}, which is {most}"
            raise InputError(f"lora_rank={rank}", rule, "Lower it, or choose peft_method=full")


def _is_inside(path: str, names: Iterable[str]) -> bool:
    return any(f".{name}." in f".{path}." for name in names)
