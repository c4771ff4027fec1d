"""This process among those that train together."""

import torch
from accelerate import PartialState


def this_process() -> PartialState:
    """Its rank and the number of processes, as torchrun gave them."""
    # Without this word accelerate would leave processes on CPUs to themselves.
    return PartialState(cpu=not torch.cuda.is_available())
