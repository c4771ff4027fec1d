"""The train step: fine-tune an encoder and leave a sealed model folder."""

import json
import logging
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import set_seed

from components import bundle, storage
from components.checks import require_between
from components.task import load_task
from components.train.base_model import locate_encoder
from components.train.card import model_card
from components.train.data import read_split, tokenise
from components.train.export import export_onnx, save_models
from components.train.peft_methods import with_adapter
from components.train.settings import TrainSettings
from components.train.trainer import fit

_log = logging.getLogger(__name__)
_TEXTS_COMPARED = 64


def train(
    settings: TrainSettings, dataset: Path, output: Path, checkpoints: Path
) -> dict[str, Any]:
    """Fine-tune on a merged data set and write a model folder (see `components.bundle`).

    Args:
        settings: Base model, method and recipe.
        dataset: Folder of the merge step.
        output: The model folder; it appears when it is complete.
        checkpoints: Folder for the checkpoint of every epoch.

    Returns:
        The content of `history.json`.

    Raises:
        InputError: If the base model or the data set cannot be used.
    """
    task = load_task(settings.task)
    rows = {split: read_split(dataset, split, task) for split in ("train", "validation")}
    with TemporaryDirectory() as downloads:
        encoder = locate_encoder(settings.base_model, settings.base_model_revision, Path(downloads))
        set_seed(settings.seed)
        tokenizer = encoder.tokenizer()
        require_between("max_length", settings.max_length, 8, tokenizer.model_max_length)
        tokenizer.model_max_length = settings.max_length
        model = with_adapter(encoder.classifier(task), settings)
    trainable, total = model.get_nb_trainable_parameters()
    _log.info("train: %d rows, %d of %d weights", len(rows["train"]), trainable, total)

    tokens = {split: tokenise(each, tokenizer, settings.max_length) for split, each in rows.items()}
    fitted = fit(model, tokenizer, tokens["train"], tokens["validation"], settings, checkpoints)
    history = fitted.to_json()

    with storage.staged(output) as folder:
        folder.mkdir()
        merged = save_models(model, tokenizer, folder)
        texts = list(rows["validation"]["text"][:_TEXTS_COMPARED])
        difference = export_onnx(merged, tokenizer, texts, folder / bundle.ONNX)
        _log.info("train: exported to ONNX, logits differ by at most %.1g", difference)
        labels = bundle.Labels(task.name, task.names, settings.max_length, tokenizer.pad_token_id)
        bundle.write_labels(folder, labels)
        (folder / bundle.HISTORY).write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(model_card(task, settings, history), encoding="utf-8")
        facts = {
            "settings": asdict(settings),
            "trainable_weights": trainable,
            "weights": total,
            "onnx_logit_difference": difference,
            "dataset_sha256": storage.sha256(dataset / "dataset.json"),
        }
        bundle.write_manifest(folder, facts)
    return history
