"""Callbacks between the steps of a training: progress, averaging, checkpoints."""

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import torch
from safetensors.torch import load_file, save_file
from torch.optim.swa_utils import get_ema_multi_avg_fn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from components.artifacts.model import bundle
from components.train.loop.checkpoints import FINGERPRINT, Copies, folder_name, thin_out

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

    def on_step_end(self, args: Any, state: TrainerState, *_: Any, **__: Any) -> None:  # noqa: ARG002
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


class DeferredSigterm:
    """Defers SIGTERM to the end of a `with` block, or until `obey` is called.

    SIGTERM then has the effect that it has outside the block: a step exits with status 143 after
    `start_logging`, and a plain process is killed, which Kubernetes reports as 143 too. Outside
    the main thread, where Python handles no signals, the block changes nothing.
    """

    received = False
    """True while a SIGTERM is deferred."""

    def __enter__(self) -> Self:
        self._is_active = threading.current_thread() is threading.main_thread()
        if self._is_active:
            self._handler = signal.signal(signal.SIGTERM, self._receive)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._is_active:
            return
        signal.signal(signal.SIGTERM, self._handler)
        if self.received and error is None:
            signal.raise_signal(signal.SIGTERM)

    def obey(self) -> None:
        """Let SIGTERM take effect now."""
        self.received = False
        signal.signal(signal.SIGTERM, self._handler)
        signal.raise_signal(signal.SIGTERM)

    def _receive(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.received = True


class Checkpointing(TrainerCallback):
    """Seals, copies and thins out checkpoints, and writes one before SIGTERM is obeyed.

    It must be the last callback that writes into checkpoints, and the Trainer must save and
    evaluate after every epoch. At the end of an epoch it requests no checkpoint of its own, which
    would lack the scores of the epoch.

    Args:
        local: The Trainer's output folder.
        every: Steps between checkpoints in addition to one per epoch; 0 for none.
        uri: Folder in object storage to copy them to; may be empty.
        fingerprint: Fingerprint of the run.
        sigterm: Says when to stop.
    """

    def __init__(
        self, local: Path, every: int, uri: str, fingerprint: str, sigterm: DeferredSigterm
    ) -> None:
        self._local = local
        self._every = every
        self._copies = Copies(uri, fingerprint)
        self._facts = {FINGERPRINT: fingerprint}
        self._sigterm = sigterm
        self._is_stopping = False

    def on_train_begin(self, args: Any, state: TrainerState, *_: Any, **__: Any) -> None:  # noqa: ARG002
        """Set the path of the best checkpoint, which another machine may have written."""
        if state.best_global_step:
            best = self._local / folder_name(state.best_global_step)
            state.best_model_checkpoint = str(best)

    def on_epoch_begin(self, args: Any, state: TrainerState, *_: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Set the sampler's epoch: accelerate does not, if processes resume within one."""
        kwargs["train_dataloader"].set_epoch(int(state.epoch or 0))

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **__: Any
    ) -> None:
        """Request a checkpoint when one is due, or when the run has to stop."""
        self._is_stopping = _in_any_process(self._sigterm.received, args)
        is_due = self._every > 0 and state.global_step % self._every == 0
        is_end_of_epoch = float(state.epoch or 0).is_integer()
        if (is_due or self._is_stopping) and not is_end_of_epoch:
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any) -> None:
        """Seal the checkpoint that was just written, copy it, and remove outdated ones."""
        _wait_for_all_processes(args)
        if state.is_world_process_zero:
            bundle.seal(self._local / folder_name(state.global_step), self._facts)
            self._copies.mirror(self._local, thin_out(self._local), state.global_step)
        if self._is_stopping:
            # torchrun would kill the others as soon as one process ends.
            _wait_for_all_processes(args)
            _log.info("train: stopped at step %d after writing its checkpoint", state.global_step)
            self._sigterm.obey()


def _in_any_process(flag: bool, args: TrainingArguments) -> bool:
    # Signals reach the processes at different steps, but all must stop at the same one.
    if args.world_size == 1:
        return flag
    flags = torch.tensor(int(flag), device=args.device)
    torch.distributed.all_reduce(flags, op=torch.distributed.ReduceOp.MAX)
    return bool(flags)


def _wait_for_all_processes(args: TrainingArguments) -> None:
    if args.world_size > 1:
        torch.distributed.barrier()
