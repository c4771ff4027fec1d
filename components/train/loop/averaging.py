"""A moving average of the trained weights, kept instead of the last weights.

Sources: Polyak and Juditsky 1992, doi 10.1137/0330046; arXiv 1803.05407.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.optim.swa_utils import get_ema_multi_avg_fn
from transformers import TrainerCallback, TrainerState, TrainingArguments

AVERAGE = "average.safetensors"


class MovingAverage(TrainerCallback):
    """Averages the trained weights after every optimiser step, and saves it in checkpoints.

    At first the average forgets faster; otherwise the initial weights would dominate it for long.

    Args:
        model: The model; its parameters that need a gradient are averaged.
        decay: Weight of the previous average in each step, above 0 and below 1.
    """

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        self._decay = decay
        self._trained = {
            name: each for name, each in model.named_parameters() if each.requires_grad
        }
        self._average = {name: each.detach().clone() for name, each in self._trained.items()}

    def restore(self, checkpoint: Path) -> None:
        """Resume from the average of a checkpoint."""
        saved = load_file(checkpoint / AVERAGE)
        for name, each in self._average.items():
            each.copy_(saved[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the model the averaged weights within a `with` block."""
        live = {name: each.detach().clone() for name, each in self._trained.items()}
        self.apply()
        try:
            yield
        finally:
            self._set(live)

    def apply(self) -> None:
        """Give the model the averaged weights."""
        self._set(self._average)

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        *_: Any,
        **__: Any,
    ) -> None:
        """Move the average towards the weights of this step."""
        decay = min(self._decay, (1 + state.global_step) / (10 + state.global_step))
        current = [each.detach() for each in self._trained.values()]
        move = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        move(list(self._average.values()), current, state.global_step)

    def on_save(self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any) -> None:
        """Put the average into the checkpoint that was just written."""
        if state.is_world_process_zero:
            folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
            save_file(self._average, folder / AVERAGE)

    def _set(self, weights: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, each in self._trained.items():
                each.copy_(weights[name])
