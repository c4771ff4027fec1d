"""The model folder of a trained model, file by file."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset

from components import storage
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Layout
from components.artifacts.model.history import History
from components.artifacts.task import Task
from components.train.export.onnx_file import export_onnx
from components.train.export.quantise import (
    Parity,
    fit_temperature,
    onnx_logits,
    parity,
    quantise,
)
from components.train.export.weights import save_models
from components.train.settings import ADAPTER_METHODS, TrainSettings

_log = logging.getLogger(__name__)
_CARD = """\
---
library_name: {library}
pipeline_tag: text-classification
---

# Text classifier for the task "{task.name}"

Predicts {task.description}: {labels}.

| | |
| --- | --- |
| base model | `{settings.base_model}` {settings.base_model_revision} |
| method | {method} |
| recipe | learning rate {settings.learning_rate:g}, batch {settings.batch_size}, \
{settings.epochs} epochs (kept: epoch {best_epoch:g}), weight decay {settings.weight_decay:g}, \
seed {settings.seed} |
| validation | accuracy {accuracy:.3f}, macro-F1 {macro_f1:.3f} |

`merged/` holds the model for transformers, `adapter/` only its adapter if the method has one, and
`onnx/` the model for ONNX Runtime in float32 and int8. `manifest.json` holds every setting and the
sha256 of every file. The evaluate step writes the full model card.
"""


@dataclass(frozen=True)
class Trained:
    """A trained classifier with its context.

    Args:
        task: Its labels.
        settings: The settings of its training.
        model: The model, with its adapter if it has one.
        tokenizer: Its tokenizer.
        load_base: Loads the model again as it was before it got its adapter.
        validation: Tokenised validation rows.
    """

    task: Task
    settings: TrainSettings
    model: Any
    tokenizer: Any
    load_base: Callable[[], Any]
    validation: Dataset


def write_package(
    trained: Trained, history: History, facts: Mapping[str, Any], output: Path
) -> None:
    """Write a model folder (see `artifacts.model.bundle`); it appears when it is complete.

    Args:
        trained: The model, which cannot be used afterwards.
        history: Measurements of its training.
        facts: Further facts for the manifest.
        output: The model folder.

    Raises:
        WorkError: If the ONNX model differs from the model, or its int8 form from the float32 form.
    """
    validation = trained.validation
    layout = Layout(trained.tokenizer.pad_token_id, trained.settings.max_length)
    with storage.staged(output) as folder:
        folder.mkdir()
        merged = save_models(
            trained.model, trained.tokenizer, trained.load_base, trained.settings, folder
        )
        difference = export_onnx(merged, validation, layout, folder / bundle.ONNX["fp32"])
        agreement = _quantise(trained, layout, folder)
        history.write(folder)
        card = _model_card(trained.task, trained.settings, history)
        (folder / "README.md").write_text(card, encoding="utf-8")
        exported = {"onnx_logit_difference": difference, "int8": asdict(agreement)}
        bundle.write_manifest(folder, {**facts, **exported})


def _quantise(trained: Trained, layout: Layout, folder: Path) -> Parity:
    """Write the int8 model, and the labels with the temperature that calibrates it."""
    task, settings = trained.task, trained.settings
    quantise(folder, trained.validation, layout)
    logits = {
        precision: onnx_logits(folder / name, trained.validation, layout)
        for precision, name in bundle.ONNX.items()
    }
    found = parity(logits["int8"], logits["fp32"], settings.min_int8_agreement)
    temperature = fit_temperature(logits["int8"], np.array(trained.validation["labels"]))
    _log.info(
        "train: int8 and float32 agree on %.1f%% of the validation rows; temperature %.2f",
        100 * found.agreement,
        temperature,
    )
    labels = bundle.Labels(task.name, task.names, layout.max_length, layout.pad_id, temperature)
    bundle.write_labels(folder, labels)
    return found


def _model_card(task: Task, settings: TrainSettings, history: History) -> str:
    student = f"distilled from a fine-tuned model into {settings.student_layers} of its layers"
    return _CARD.format(
        task=task,
        library="peft" if settings.peft_method in ADAPTER_METHODS else "transformers",
        method=student if settings.distill else settings.peft_method,
        labels=", ".join(task.names),
        settings=settings,
        best_epoch=history.best_epoch,
        accuracy=history.best["accuracy"],
        macro_f1=history.best["macro_f1"],
    )
