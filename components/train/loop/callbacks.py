"""Callbacks between the steps of a training: progress and averaging."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.optim.swa_utils import get_ema_multi_avg_fn
from transformers import TrainerCallback, TrainerState, TrainingArguments

from components.train.loop.copies import folder_name

_log = logging.getLogger(__name__)
_PROGRESS_SECONDS = 5.0
AVERAGE = "average.safetensors"


class Progress(TrainerCallback):
    """Measures the speed of training, and logs the time left every few seconds.

    Args:
        rows: Rows per epoch.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._steps = 0
        self._seconds = 0.0
        self._reported = self._started = 0.0

    def rows_per_second(self, state: TrainerState, epochs: float) -> float:
        """Compute the rows per second of training, evaluation excluded."""
        share = self._steps / max(state.max_steps, 1)
        return share * epochs * self._rows / max(self._seconds, 1e-9)

    def on_epoch_begin(self, *_: Any, **__: Any) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any) -> None:
        """Report progress if the last report is some seconds old."""
        now = time.monotonic()
        self._seconds += now - self._started
        self._started = now
        self._steps += 1
        if now - self._reported < _PROGRESS_SECONDS:
            return
        self._reported = now
        _log.info(
            "train: step %d/%d, %.0f rows/s, %.0f s left",
            state.global_step,
            state.max_steps,
            self.rows_per_second(state, args.num_train_epochs),
            (state.max_steps - state.global_step) * self._seconds / self._steps,
            extra={"progress": (state.global_step, state.max_steps)},
        )

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, *_: Any, **kwargs: Any
    ) -> None:
        """Report validation scores."""
        metrics: dict[str, float] = kwargs["metrics"]
        _log.info(
            "train: epoch %d/%d, validation loss %.3f, accuracy %.3f, macro-F1 %.3f",
            round(state.epoch or 0),
            args.num_train_epochs,
            metrics["eval_loss"],
            metrics["eval_accuracy"],
            metrics["eval_macro_f1"],
            extra={"progress": (state.global_step, state.max_steps)},
        )


class MovingAverage(TrainerCallback):
    """Averages the trained weights after every optimiser step, and saves it in checkpoints.

    At first the average forgets faster; otherwise the initial weights would dominate it for long.

    Sources: Polyak and Juditsky 1992, doi 10.1137/0330046; arXiv 1803.05407.

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

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Follow the weights to the device that the Trainer has moved them to."""
        for name, each in self._trained.items():
            self._average[name] = self._average[name].to(each.device)

    def on_step_end(self, args: Any, state: TrainerState, *_: Any, **__: Any) -> None:  # noqa: ARG002
        """Move the average towards the weights of this step."""
        decay = min(self._decay, (1 + state.global_step) / (10 + state.global_step))
        current = [each.detach() for each in self._trained.values()]
        move = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        move(list(self._average.values()), current, state.global_step)

    def on_save(self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any) -> None:
        """Put the average into the checkpoint that was just written."""
        if state.is_world_process_zero:
            folder = Path(str(args.output_dir)) / folder_name(state.global_step)
            save_file(self._average, folder / AVERAGE)

    def _set(self, weights: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, each in self._trained.items():
                each.copy_(weights[name])
