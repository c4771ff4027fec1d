"""Fine-tuning with the transformers Trainer."""

import logging
import math
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from datasets import Dataset
from sklearn.metrics import accuracy_score, f1_score
from torch.nn.functional import cross_entropy
from torch.utils.data import Sampler
from transformers import (
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    EvalPrediction,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerState,
    TrainingArguments,
)
from transformers.integrations.integration_utils import is_kubeflow_available

from components.artifacts.model.history import History
from components.errors import WorkError
from components.train.loop.callbacks import MovingAverage, Progress
from components.train.loop.checkpointing import Checkpointing, Schedule
from components.train.loop.checkpoints import ended_at, newest_valid
from components.train.loop.copies import Copies, Copying
from components.train.loop.data import LengthGroups
from components.train.loop.sigterm import DeferredSigterm
from components.train.methods.adapters import loraplus_optimizer, uses_bfloat16
from components.train.search.space import METRIC
from components.train.settings import TrainSettings

_log = logging.getLogger(__name__)
_LOGGED_POINTS_PER_EPOCH = 10


def this_process() -> PartialState:
    """Return the rank and the number of processes, as torchrun set them."""
    # Without this argument accelerate would not connect processes on CPUs.
    return PartialState(cpu=not torch.cuda.is_available())


def share_weights(model: torch.nn.Module) -> None:
    """Give the model of every process the weights that the first one has."""
    if this_process().num_processes > 1:
        for each in model.state_dict().values():
            torch.distributed.broadcast(each, 0)


def fit(
    model: Any,
    tokenizer: Any,
    train: Dataset,
    validation: Dataset,
    settings: TrainSettings,
    checkpoints: Path,
    identity: str,
) -> History:
    """Train a model in place and give it the weights of its best epoch.

    Batches hold texts of similar length and are padded to their longest. A checkpoint is written
    after every epoch; the best epoch has the highest macro-F1 on the validation rows.
    """
    progress = Progress(len(train))
    average = MovingAverage(model, settings.average_decay) if settings.average_decay else None
    callbacks: list[TrainerCallback] = [progress]
    if settings.patience:
        callbacks.append(EarlyStoppingCallback(settings.patience))
    trainer = ClassifierTrainer(
        model=model,
        args=_arguments(settings, len(train), checkpoints),
        train_dataset=train,
        eval_dataset=validation.sort("length"),
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=_metrics,
        callbacks=callbacks,
        settings=settings,
        average=average,
    )
    trainer.remove_callback(PrinterCallback)
    started = time.monotonic()
    _train(trainer, average, settings, checkpoints, identity)
    # In bfloat16 its forward pass has been replaced.
    trainer.accelerator.unwrap_model(trainer.model_wrapped, keep_fp32_wrapper=False)
    state = trainer.state
    # Checkpoints are on the first node, and its model is the one that is kept.
    if average and this_process().is_main_process:
        average.restore(Path(state.best_model_checkpoint or ""))
        average.apply()
    speed = progress.rows_per_second(state, settings.epochs)
    return _history(state, time.monotonic() - started, speed, float(np.mean(train["length"])))


def _history(state: TrainerState, seconds: float, speed: float, row_tokens: float) -> History:
    log = state.log_history
    measured = ("step", "epoch", "loss", "learning_rate")
    scores = ("loss", "accuracy", "macro_f1")
    return History(
        train=[{name: point[name] for name in measured} for point in log if "loss" in point],
        validation=[
            {"epoch": point["epoch"], **{name: point[f"eval_{name}"] for name in scores}}
            for point in log
            if "eval_loss" in point
        ],
        best_epoch=round(max(p["epoch"] for p in log if p["step"] == state.best_global_step), 2),
        seconds=round(seconds, 1),
        rows_per_second=round(speed, 1),
        tokens_per_second=round(speed * row_tokens, 1),
    )


def _train(
    trainer: Trainer,
    average: MovingAverage | None,
    settings: TrainSettings,
    checkpoints: Path,
    identity: str,
) -> None:
    """Train to the end, from the newest valid checkpoint of the same run if there is one."""
    uri = settings.checkpoint_uri
    with this_process().local_main_process_first():
        checkpoint = newest_valid(checkpoints, uri, identity)
    if checkpoint:
        _log.info("train: resuming from %s", checkpoint)
        if average:
            average.restore(checkpoint)
        if step := ended_at(checkpoint):
            # The Trainer forgets that patience ran out, and would continue.
            trainer.args.max_steps = step
    schedule = Schedule(settings.checkpoint_steps, settings.checkpoint_minutes)
    copies = Copies(uri, identity)
    with Copying(copies, checkpoints) as copying, DeferredSigterm() as sigterm:
        callback = Checkpointing(checkpoints, schedule, copying, identity, sigterm)
        trainer.add_callback(callback)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)


def _arguments(settings: TrainSettings, rows: int, checkpoints: Path) -> TrainingArguments:
    shares = this_process().num_processes * settings.accumulation_steps
    steps_per_epoch = -(-rows // settings.batch_size)
    return TrainingArguments(
        output_dir=str(checkpoints),
        use_cpu=not torch.cuda.is_available(),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size // shares,
        gradient_accumulation_steps=settings.accumulation_steps,
        activation_checkpointing=settings.gradient_checkpointing,
        per_device_eval_batch_size=64,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        label_smoothing_factor=settings.label_smoothing,
        warmup_steps=settings.warmup_fraction,
        bf16=uses_bfloat16(settings),
        torch_compile=settings.torch_compile,
        eval_strategy="epoch",
        save_strategy="epoch",
        restore_callback_states_from_checkpoint=True,
        load_best_model_at_end=True,
        metric_for_best_model="macro_f1",
        logging_steps=max(1, steps_per_epoch // _LOGGED_POINTS_PER_EPOCH),
        disable_tqdm=True,
        report_to="kubeflow" if is_kubeflow_available() else "none",  # type: ignore[no-untyped-call]
        # True would drop the rows' weights, which the loss needs.
        remove_unused_columns=False,
        seed=settings.seed,
        dataloader_pin_memory=False,
    )


class ClassifierTrainer(Trainer):
    """The transformers Trainer with row weights, soft labels, batches of similar length, averages.

    `lora+` gets its own optimiser. The moving average of the weights, if there is one, is what is
    evaluated.
    """

    def __init__(
        self, *, settings: TrainSettings, average: MovingAverage | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self._settings, self._average = settings, average
        if average:
            self.add_callback(average)
        # The loss below is already a mean; the Trainer has to divide it by the number of passes.
        self.model_accepts_loss_kwargs = False

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,  # noqa: ARG002
    ) -> Any:
        """Compute the mean cross entropy of a batch, each row multiplied by its weight."""
        labels, weight = inputs.pop("labels"), inputs.pop("weight", None)
        target = inputs.pop("target", labels)
        inputs.pop("length", None)
        outputs = model(**inputs)
        smoothing = self.args.label_smoothing_factor if model.training else 0.0
        losses = cross_entropy(outputs.logits, target, reduction="none", label_smoothing=smoothing)
        loss = (losses if weight is None else losses * weight).mean()
        return (loss, outputs) if return_outputs else loss

    def evaluate(self, *arguments: Any, **options: Any) -> dict[str, float]:
        """Score the averaged weights if there are any, else the current ones.

        The best score so far is logged, so that it is among the metrics of a TrainJob's status.

        Raises:
            WorkError: If training has diverged.
        """
        with self._average.applied() if self._average else nullcontext():
            metrics: dict[str, float] = super().evaluate(*arguments, **options)
        if not math.isfinite(metrics["eval_loss"]):
            rule = "came to weights with which the loss is no number"
            raise WorkError("training", rule, "Lower learning_rate, or set precision=float32")
        scores = [point.get("eval_macro_f1", 0.0) for point in self.state.log_history]
        self.log({METRIC: max(scores)})
        return metrics

    def create_optimizer(self, model: Any = None) -> Any:
        """Create AdamW; for `lora+` with two learning rates."""
        if self.optimizer is None and self._settings.peft_method == "lora+":
            trained: Any = self.model
            kind, options = self.get_optimizer_cls_and_kwargs(self.args, trained)
            self.optimizer = loraplus_optimizer(trained, self._settings, kind, options)
        return super().create_optimizer(model)

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler[int]:
        rows: Any = self.train_dataset if train_dataset is None else train_dataset
        shares = self.args.world_size * self.args.gradient_accumulation_steps
        batch_size = self.args.train_batch_size * shares
        return LengthGroups(rows["length"], batch_size, shares, self.args.seed)


def _metrics(prediction: EvalPrediction) -> dict[str, float]:
    predicted = np.asarray(prediction.predictions).argmax(axis=1)
    return {
        "accuracy": float(accuracy_score(prediction.label_ids, predicted)),
        "macro_f1": float(f1_score(prediction.label_ids, predicted, average="macro")),
    }
