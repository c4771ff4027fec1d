"""The precision in which training computes."""

import torch

from components.train.settings import TrainSettings


def uses_bfloat16(settings: TrainSettings) -> bool:
    """Whether training computes in bfloat16: if asked to, or by itself where the GPU has it."""
    if settings.precision != "auto":
        return settings.precision == "bfloat16"
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
