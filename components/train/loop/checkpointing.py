"""When checkpoints are written, and what happens to each."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from components.artifacts.model import bundle
from components.train.loop.checkpoints import FINGERPRINT, thin_out
from components.train.loop.copies import Copying, folder_name
from components.train.loop.sigterm import DeferredSigterm

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """Checkpoints in addition to one per epoch.

    Args:
        steps: Steps from one to the next; 0 for none.
        minutes: Minutes after the last checkpoint of any kind; 0 for none.
    """

    steps: int
    minutes: float

    def is_due(self, step: int, seconds: float) -> bool:
        """Tell whether to write one after a step, some seconds after the last one."""
        by_steps = self.steps > 0 and step % self.steps == 0
        return by_steps or 0 < self.minutes * 60 <= seconds


class Checkpointing(TrainerCallback):
    """Seals, copies and thins out checkpoints, and writes one before SIGTERM is obeyed.

    It must be the last callback that writes into checkpoints, and the Trainer must save and
    evaluate after every epoch. At the end of an epoch it requests no checkpoint of its own, which
    would lack the scores of the epoch.

    Args:
        local: The Trainer's output folder.
        schedule: When to write one within an epoch.
        copying: Copies them to object storage.
        fingerprint: Fingerprint of the run.
        sigterm: Says when to stop.
    """

    def __init__(
        self,
        local: Path,
        schedule: Schedule,
        copying: Copying,
        fingerprint: str,
        sigterm: DeferredSigterm,
    ) -> None:
        self._local = local
        self._schedule = schedule
        self._copying = copying
        self._facts = {FINGERPRINT: fingerprint}
        self._sigterm = sigterm
        self._is_stopping = False
        self._written = time.monotonic()

    def on_train_begin(self, args: Any, state: TrainerState, *_: Any, **__: Any) -> None:  # noqa: ARG002
        """Set the path of the best checkpoint, which another machine may have written."""
        self._written = time.monotonic()
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
        is_due = self._schedule.is_due(state.global_step, time.monotonic() - self._written)
        is_due, self._is_stopping = _in_any_process((is_due, self._sigterm.received), args)
        is_end_of_epoch = float(state.epoch or 0).is_integer()
        if (is_due or self._is_stopping) and not is_end_of_epoch:
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any) -> None:
        """Seal the checkpoint that was just written, copy it, and remove outdated ones."""
        _wait_for_all_processes(args)
        if state.is_world_process_zero:
            bundle.seal(self._local / folder_name(state.global_step), self._facts)
            kept = thin_out(self._local, self._copying.in_use())
            self._copying.request(kept, state.global_step)
        self._written = time.monotonic()
        if self._is_stopping:
            self._settle(state)
            # torchrun would kill the others as soon as one process ends.
            _wait_for_all_processes(args)
            _log.info("train: stopped at step %d after writing its checkpoint", state.global_step)
            self._sigterm.obey()

    def on_train_end(self, args: Any, state: TrainerState, *_: Any, **__: Any) -> None:  # noqa: ARG002
        """Wait for the copies, so that an export which is killed need not train again."""
        self._settle(state)

    def _settle(self, state: TrainerState) -> None:
        if state.is_world_process_zero:
            self._copying.wait()
            thin_out(self._local)


def _in_any_process(flags: Sequence[bool], args: TrainingArguments) -> Sequence[bool]:
    # Signals and clocks reach the processes at different steps, but all must act at the same one.
    if args.world_size == 1:
        return flags
    numbers = torch.tensor(flags, dtype=torch.int, device=args.device)
    torch.distributed.all_reduce(numbers, op=torch.distributed.ReduceOp.MAX)
    return [bool(number) for number in numbers]


def _wait_for_all_processes(args: TrainingArguments) -> None:
    if args.world_size > 1:
        torch.distributed.barrier()
