"""One training: fine-tune an encoder and write a sealed model folder."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import torch
from transformers import set_seed

from components.artifacts.dataset import REAL, TRAIN, VALIDATION, dataset_sha256, read_frame
from components.artifacts.model.classifier import Layout
from components.artifacts.model.history import History, Trial
from components.artifacts.task import Task, load_task
from components.train.distillation.distil import distil
from components.train.distillation.texts import texts_of
from components.train.export.onnx_file import require_exportable
from components.train.export.package import Trained, write_package
from components.train.loop.checkpoints import fingerprint
from components.train.loop.data import tokenise, tokens_sha256
from components.train.loop.trainer import fit, this_process
from components.train.methods.adapters import (
    default_learning_rate,
    load_classifier,
    set_dropout,
    with_adapter,
)
from components.train.methods.attachments import ATTACHMENTS
from components.train.methods.base_model import Encoder, locate_encoder
from components.train.methods.declared import require_max_length, require_student
from components.train.methods.reading import require_readable
from components.train.settings import TrainSettings

_log = logging.getLogger(__name__)


def fine_tune(
    settings: TrainSettings,
    dataset: Path,
    output: Path,
    checkpoints: Path,
    real_only: bool = False,
    trials: Sequence[Trial] = (),
) -> History:
    """Fine-tune on a merged data set and write a model folder (see `artifacts.model.bundle`).

    Args:
        settings: Base model, method and recipe.
        dataset: Folder of the merge step.
        output: The model folder; it appears when it is complete.
        checkpoints: Folder for checkpoints and tokenised rows; a killed run resumes from it.
        real_only: Leave synthetic rows out of training.
        trials: The search that found the settings, to be kept with the model.

    Raises:
        InputError: If the base model or the data set cannot be used.
        WorkError: If the int8 model differs too much from the float32 model.
    """
    task = load_task(settings.task)
    rows = _rows(dataset, task, real_only)
    texts = texts_of(list(rows[TRAIN]["text"]), settings) if settings.distill else []
    with TemporaryDirectory() as downloads:
        encoder = locate_encoder(settings.base_model, settings.base_model_revision, Path(downloads))
        settings = _with_learning_rate(settings, encoder)
        tokenizer = _tokenizer(encoder, settings)
        set_seed(settings.seed)
        model = prepared_model(encoder, task, settings)
        require_readable(_name(settings), model, tokenizer, settings.max_length)
        layers = getattr(model.config, "num_hidden_layers", None)
        require_student(_name(settings), encoder.model_type(), layers, settings)
        sizes = _count_weights(model)
        _log.info("train: %d rows, %d of %d weights", len(rows[TRAIN]), *sizes.values())

        data = {"dataset_sha256": dataset_sha256(dataset), "real_only": real_only}
        tokens = tokens_sha256(tokenizer, settings)
        identity = fingerprint(settings, **data, tokens_sha256=tokens)
        cache = checkpoints / "tokens" / identity[:16]
        with this_process().local_main_process_first():
            train, validation = (
                tokenise(frame, tokenizer, settings, cache / f"{split}.arrow")
                for split, frame in rows.items()
            )
        if encoder.model_type() not in ATTACHMENTS and this_process().is_main_process:
            layout = Layout(tokenizer.pad_token_id, settings.max_length)
            require_exportable(_name(settings), encoder.classifier(task), validation, layout)
        history = fit(model, tokenizer, train, validation, settings, checkpoints, identity)
        load_base = partial(load_classifier, encoder, task, settings)
        trained = Trained(task, settings, model, tokenizer, load_base, validation)
        facts = {"settings": asdict(settings), **data, **sizes}
        if settings.distill:
            trained, history = distil(trained, history, texts, checkpoints, identity)
            facts |= {"teacher": {**sizes, **history.teacher}, **_count_weights(trained.model)}
        history = replace(history, trials=trials)
        if this_process().is_main_process:
            write_package(trained, history, facts, output)
    return history


def _rows(dataset: Path, task: Task, real_only: bool) -> dict[str, pd.DataFrame]:
    rows = {split: read_frame(dataset, split, task.names) for split in (TRAIN, VALIDATION)}
    if real_only:
        rows[TRAIN] = rows[TRAIN][rows[TRAIN]["source"] == REAL]
    return rows


def prepared_model(encoder: Encoder, task: Task, settings: TrainSettings) -> Any:
    """Load the encoder with a new head, the chosen dropout and the method's adapter."""
    classifier = load_classifier(encoder, task, settings)
    set_dropout(classifier, settings.dropout)
    return with_adapter(classifier, settings)


def _name(settings: TrainSettings) -> str:
    return f"base_model {settings.base_model}"


def _with_learning_rate(settings: TrainSettings, encoder: Encoder) -> TrainSettings:
    if settings.learning_rate:
        return settings
    rate = default_learning_rate(settings.peft_method, encoder.model_type())
    return replace(settings, learning_rate=rate)


def _tokenizer(encoder: Encoder, settings: TrainSettings) -> Any:
    tokenizer = encoder.tokenizer()
    require_max_length(_name(settings), settings.max_length, tokenizer.model_max_length)
    tokenizer.model_max_length = settings.max_length
    return tokenizer


def _count_weights(model: torch.nn.Module) -> dict[str, int]:
    weights = list(model.parameters())
    return {
        "trainable_weights": sum(each.numel() for each in weights if each.requires_grad),
        "weights": sum(each.numel() for each in weights),
    }
