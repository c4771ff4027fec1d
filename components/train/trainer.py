"""Fine-tuning with the transformers Trainer."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, f1_score
from torch.nn.functional import cross_entropy
from transformers import (
    DataCollatorWithPadding,
    EvalPrediction,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from components.train.data import Rows
from components.train.settings import TrainSettings

_log = logging.getLogger(__name__)
_PROGRESS_SECONDS = 5.0
_LOGGED_POINTS_PER_EPOCH = 10


@dataclass(frozen=True)
class History:
    """What was measured while training; `to_json` is the content of `history.json`.

    Args:
        log: The Trainer's log.
        rows: Rows of the train split.
        seconds: Duration of the training.
        best_epoch: The epoch whose weights were kept.
    """

    log: list[dict[str, float]]
    rows: int
    epochs: int
    seconds: float
    best_epoch: float

    def to_json(self) -> dict[str, Any]:
        """Points of the learning curves, and the speed."""
        names = {"eval_loss": "loss", "eval_accuracy": "accuracy", "eval_macro_f1": "macro_f1"}
        return {
            "train": [
                {key: point[key] for key in ("step", "epoch", "loss", "learning_rate")}
                for point in self.log
                if "loss" in point
            ],
            "validation": [
                {"epoch": point["epoch"], **{name: point[key] for key, name in names.items()}}
                for point in self.log
                if "eval_loss" in point
            ],
            "best_epoch": self.best_epoch,
            "seconds": round(self.seconds, 1),
            "rows_per_second": round(self.rows * self.epochs / self.seconds, 1),
        }


def fit(
    model: Any,
    tokenizer: Any,
    train: Rows,
    validation: Rows,
    settings: TrainSettings,
    checkpoints: Path,
) -> History:
    """Train a model in place and leave it with its best epoch's weights.

    Batches hold texts of like length and are padded to their longest. A checkpoint is written
    every epoch; the best one has the highest macro-F1 on the validation rows.
    """
    arguments = _arguments(settings, len(train), checkpoints)
    trainer = WeightedTrainer(
        model=model,
        args=arguments,
        train_dataset=train,
        eval_dataset=validation,
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=_metrics,
        callbacks=[_Progress(len(train))],
    )
    trainer.remove_callback(PrinterCallback)
    started = time.monotonic()
    trainer.train()
    best = Path(trainer.state.best_model_checkpoint or "").name.removeprefix("checkpoint-")
    return History(
        log=trainer.state.log_history,
        rows=len(train),
        epochs=settings.epochs,
        seconds=time.monotonic() - started,
        best_epoch=round(settings.epochs * int(best) / trainer.state.max_steps, 2),
    )


def _arguments(settings: TrainSettings, rows: int, checkpoints: Path) -> TrainingArguments:
    steps_per_epoch = -(-rows // settings.batch_size)
    return TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=64,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        warmup_steps=settings.warmup_fraction,
        train_sampling_strategy="group_by_length",
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        metric_for_best_model="macro_f1",
        logging_steps=max(1, steps_per_epoch // _LOGGED_POINTS_PER_EPOCH),
        disable_tqdm=True,
        report_to="none",
        # Off, since it would take the weights away before the loss sees them.
        remove_unused_columns=False,
        seed=settings.seed,
        dataloader_pin_memory=False,
    )


class WeightedTrainer(Trainer):
    """The transformers Trainer, with a loss that heeds the weights of rows that have them."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The mean cross entropy of a batch, each row counting by its weight."""
        weight = inputs.pop("weight", None)
        if weight is None:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        outputs = model(**inputs)
        losses = cross_entropy(outputs.logits, inputs["labels"], reduction="none")
        loss = (losses * weight).sum() / weight.sum()
        return (loss, outputs) if return_outputs else loss


def _metrics(prediction: EvalPrediction) -> dict[str, float]:
    predicted = np.asarray(prediction.predictions).argmax(axis=1)
    return {
        "accuracy": float(accuracy_score(prediction.label_ids, predicted)),
        "macro_f1": float(f1_score(prediction.label_ids, predicted, average="macro")),
    }


class _Progress(TrainerCallback):
    """Logs a line with speed and time left every few seconds, and one for each epoch."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._started = self._reported = time.monotonic()

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **_: Any,
    ) -> None:
        """Report progress if the last report is some seconds ago."""
        now = time.monotonic()
        if now - self._reported < _PROGRESS_SECONDS:
            return
        self._reported = now
        share = state.global_step / state.max_steps
        elapsed = now - self._started
        _log.info(
            "train: step %d/%d, %.0f rows/s, %.0f s left",
            state.global_step,
            state.max_steps,
            share * self._rows * args.num_train_epochs / elapsed,
            elapsed / share - elapsed,
        )

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **kwargs: Any,
    ) -> None:
        """Report the validation scores of an epoch."""
        metrics: dict[str, float] = kwargs["metrics"]
        _log.info(
            "train: epoch %d/%d, validation loss %.3f, accuracy %.3f, macro-F1 %.3f",
            round(state.epoch or 0),
            args.num_train_epochs,
            metrics["eval_loss"],
            metrics["eval_accuracy"],
            metrics["eval_macro_f1"],
        )
