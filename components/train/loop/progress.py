"""The progress of training: its speed, and log lines for people who watch."""

import logging
import time
from typing import Any

from transformers import TrainerCallback, TrainerState, TrainingArguments

_log = logging.getLogger(__name__)
_PROGRESS_SECONDS = 5.0


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
        )
