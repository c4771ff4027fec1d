"""The pretrained encoder that training starts from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
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
from components.train.settings import SHA256, hub_commit

_WEIGHTS = "model.safetensors"
_FILES = (_WEIGHTS, "config.json", "tokenizer.json")


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder: a local folder, or a hub id with its commit.

    Loading it raises an InputError if it is missing, damaged or unreachable.
    """

    name: str
    commit: str | None

    def tokenizer(self) -> Any:
        """Load the encoder's fast tokenizer."""
        return self._load(AutoTokenizer, use_fast=True)

    def model_type(self) -> str:
        """Read the architecture from the encoder's configuration."""
        return str(self._load(AutoConfig).model_type)

    def encoder(self) -> Any:
        """Load the encoder without a head, in float32."""
        return self._load(AutoModel, use_safetensors=True, dtype=torch.float32)

    def classifier(self, task: Task, quantisation: BitsAndBytesConfig | None = None) -> Any:
        """Load the encoder with a new classification head for the task's labels, in float32.

        Args:
            task: Names of the outputs.
            quantisation: Quantisation of linear modules while loading; None for none.
        """
        return self._load(
            AutoModelForSequenceClassification,
            use_safetensors=True,
            dtype=torch.float32,
            quantization_config=quantisation,
            id2label=dict(enumerate(task.names)),
            label2id={name: index for index, name in enumerate(task.names)},
        )

    def _load(self, kind: Any, **options: Any) -> Any:
        try:
            return kind.from_pretrained(
                self.name, revision=self.commit, trust_remote_code=False, **options
            )
        except (OSError, ValueError, SafetensorError) as error:
            rule = f"cannot be loaded ({str(error).splitlines()[0]:.200})"
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
    for name in _FILES:
        if not (folder / name).is_file():
            fix = "Save model and fast tokenizer with save_pretrained"
            raise InputError(f"base_model {base_model}", f"has no {name}", fix)
    if revision and not revision.startswith(SHA256):
        rule = "is a hub commit, but base_model is a folder"
        raise InputError(
            f"base_model_revision={revision}", rule, "Use sha256:... or leave it empty"
        )
    if revision:
        weights = folder / _WEIGHTS
        storage.require_content(str(weights), weights, revision.removeprefix(SHA256))
    return Encoder(str(folder), None)
