"""The pretrained encoder that training starts from."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BitsAndBytesConfig,
)

from components import storage
from components.artifacts.task import Task
from components.errors import InputError
from components.train.methods.declared import FILES, WEIGHTS, require_files
from components.train.settings import SHA256, hub_commit

# Some pretraining has no use for a pooler, so that checkpoints come without one.
_POOLER = "pooler."
_STD = 0.02

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder: a local folder, or a hub id with its commit.

    Loading it raises an InputError if it is missing, damaged or unreachable.
    """

    name: str
    commit: str | None

    def tokenizer(self) -> Any:
        """Load the encoder's fast tokenizer; it cuts and pads texts at their end, as in serving."""
        return self._load(
            AutoTokenizer, use_fast=True, truncation_side="right", padding_side="right"
        )

    def model_type(self) -> str:
        """Read the architecture from the encoder's configuration."""
        return str(self._load(AutoConfig).model_type)

    def encoder(self) -> Any:
        """Load the encoder without a head, in float32."""
        return self._load(AutoModel, use_safetensors=True, dtype=torch.float32)

    def classifier(self, task: Task, quantisation: BitsAndBytesConfig | None = None) -> Any:
        """Load the encoder in float32 as a classifier of the task's labels.

        Its output layer is new, also where the encoder is a classifier already.

        Args:
            task: Names of the outputs.
            quantisation: Quantisation of linear modules while loading; None for none.

        Raises:
            InputError: If weights of the encoder are missing, do not fit or are no numbers.
        """
        model, loaded = self._load(
            AutoModelForSequenceClassification,
            use_safetensors=True,
            dtype=torch.float32,
            quantization_config=quantisation,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            id2label=dict(enumerate(task.names)),
            label2id={name: index for index, name in enumerate(task.names)},
            problem_type="single_label_classification",
            output_attentions=False,
            output_hidden_states=False,
            return_dict=True,
        )
        new = {*loaded["missing_keys"], *(name for name, *_ in loaded["mismatched_keys"])}
        self._require_weights(model, new)
        _renew_outputs(model, new, len(task.names))
        return model

    def _require_weights(self, model: Any, new: set[str]) -> None:
        """Refuse an encoder that would be trained in part or in whole from random weights."""
        inside, thing = f"{model.base_model_prefix}.", f"base_model {self.name}"
        random = sorted(name for name in new if name.startswith(inside) and _POOLER not in name)
        if random:
            rule = f"has no weights for {_some(random)} that fit its config.json"
            raise InputError(thing, rule, "Check that its files belong together")
        broken = [name for name, each in model.named_parameters() if not each.isfinite().all()]
        if broken:
            rule = f"has weights that are no finite numbers in {_some(broken)}"
            raise InputError(thing, rule, "Use a copy whose training did not diverge")

    def _load(self, kind: Any, **options: Any) -> Any:
        try:
            return kind.from_pretrained(
                self.name, revision=self.commit, trust_remote_code=False, **options
            )
        except Exception as error:  # Every architecture and tokenizer has errors of its own.
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            rule = f"cannot be loaded ({reason:.300})"
            fix = "Check the model's files, its revision and the network"
            raise InputError(f"base_model {self.name}", rule, fix) from error


def locate_encoder(base_model: str, revision: str, downloads: Path) -> Encoder:
    """Find a pretrained encoder and check that it is the pinned one.

    Args:
        base_model: Hub id, or path or URI of a folder.
        revision: Commit of a hub model; `sha256:` and the hash of the weights of a folder, or
            empty for a folder that is not pinned.
        downloads: Folder for downloads from object storage.

    Raises:
        InputError: If it is missing or not pinned, or its content differs from the pin.
    """
    if commit := hub_commit(base_model, revision):
        return Encoder(base_model, commit)
    folder = storage.fetch(base_model, downloads)
    present = {each.name for each in folder.iterdir()} if folder.is_dir() else set()
    require_files(f"base_model {base_model}", present)
    for name in FILES:
        storage.require_no_pointer(folder / name)
    if revision:
        weights = folder / WEIGHTS
        storage.require_content(str(weights), weights, revision.removeprefix(SHA256))
    return Encoder(str(folder), None)


def _some(names: list[str]) -> str:
    others = f" and {len(names) - 3} others" if len(names) > 3 else ""
    return ", ".join(names[:3]) + others


def _renew_outputs(model: Any, new: set[str], outputs: int) -> None:
    """Forget what the outputs of a classifier meant: they are other labels now."""
    inside = f"{model.base_model_prefix}."
    kept = [
        weights
        for name, weights in model.named_parameters()
        if not name.startswith(inside) and name not in new and weights.shape[:1] == (outputs,)
    ]
    if kept:
        _log.info("train: the base model is a classifier, and gets a new output layer")
    for weights in kept:
        # As transformers does it for the layers that a checkpoint lacks.
        std = getattr(model.config, "initializer_range", _STD) if weights.dim() > 1 else 0.0
        torch.nn.init.normal_(weights, std=std)
