"""The place of this process among the processes of a training, and the precision."""

import torch
from accelerate import PartialState

from components.train.settings import TrainSettings


def this_process() -> PartialState:
    """Return the rank and the number of processes, as torchrun set them."""
    # Without this argument accelerate would not connect processes on CPUs.
    return PartialState(cpu=not torch.cuda.is_available())


def uses_bfloat16(settings: TrainSettings) -> bool:
    """Decide whether training computes in bfloat16; `auto` does where the GPU supports it."""
    if settings.precision != "auto":
        return settings.precision == "bfloat16"
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
