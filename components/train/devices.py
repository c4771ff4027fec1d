"""What this process trains on: its place among the processes, and the precision."""

import torch
from accelerate import PartialState

from components.train.settings import TrainSettings


def this_process() -> PartialState:
    """Its rank and the number of processes, as torchrun gave them."""
    # Without this word accelerate would leave processes on CPUs to themselves.
    return PartialState(cpu=not torch.cuda.is_available())


def uses_bfloat16(settings: TrainSettings) -> bool:
    """Whether training computes in bfloat16: if asked to, or by itself where the GPU has it."""
    if settings.precision != "auto":
        return settings.precision == "bfloat16"
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
