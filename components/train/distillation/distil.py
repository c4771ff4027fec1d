"""The training of a student."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from components.artifacts.model.history import History
from components.train.distillation.lessons import lessons
from components.train.distillation.student import student_of
from components.train.export.package import Trained
from components.train.export.weights import save_models
from components.train.loop.checkpoints import fingerprint
from components.train.loop.trainer import fit, share_weights, this_process
from components.train.methods.adapters import set_dropout
from components.train.settings import TrainSettings

_log = logging.getLogger(__name__)
_FOLDER = "student"


def distil(
    teacher: Trained, history: History, texts: Sequence[str], checkpoints: Path, identity: str
) -> tuple[Trained, History]:
    """Train a student with some of a teacher's layers to say what the teacher says.

    It learns the teacher's probabilities alone, and not the labels: where they are wrong, the
    teacher has mostly found it out.

    Args:
        teacher: The trained model, which cannot be used afterwards.
        history: The measurements of its training.
        texts: What the student learns from, of `texts_of`.
        checkpoints: Folder of the run's checkpoints; the student's are in a folder of it.
        identity: Fingerprint of the teacher's training.

    Returns:
        The student, and the measurements of its training, with its teacher's best scores.

    Source: Hinton et al. 2015, arXiv 1503.02531.
    """
    settings, tokenizer = _of_student(teacher.settings), teacher.tokenizer
    folder = checkpoints / _FOLDER
    share_weights(teacher.model)
    with TemporaryDirectory() as scratch:
        whole = save_models(
            teacher.model, tokenizer, teacher.load_base, teacher.settings, Path(scratch)
        )
    shape = (settings.student_layers, settings.student_feedforward_share)
    student = student_of(whole, *shape)
    set_dropout(student, settings.dropout)
    known = fingerprint(
        settings,
        teacher=identity,
        shape=shape,
        texts_sha256=hashlib.sha256("\n".join(texts).encode()).hexdigest(),
    )
    _log.info(
        "train: a student of %d layers learns from %d texts", settings.student_layers, len(texts)
    )
    with this_process().local_main_process_first():
        rows = lessons(whole, texts, tokenizer, settings, folder / "tokens" / f"{known[:16]}.arrow")
    learnt = fit(student, tokenizer, rows, teacher.validation, settings, folder, known)
    trained = replace(teacher, settings=settings, model=student)
    return trained, replace(learnt, teacher=history.best)


def _of_student(settings: TrainSettings) -> TrainSettings:
    """The settings of a student's training, by those of the run."""
    return replace(
        settings,
        peft_method="full",
        target_modules=[],
        head_modules=[],
        learning_rate=settings.student_learning_rate,
        epochs=settings.student_epochs,
        # What a teacher says is soft already, and a small model need not be held back.
        label_smoothing=0.0,
        soft_label_share=1.0,
        dropout=0.0,
    )
