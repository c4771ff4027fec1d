"""Checkpoints from which a killed run resumes, on this machine or on another one.

A checkpoint is a folder `checkpoint-<step>` with all that training needs to end as if it had
never stopped: trained weights and their average, optimiser, schedule, random states and the
position in the data. The Trainer writes it; then a manifest with the sha256 of every file and the
fingerprint of the run seals it, and it is copied to object storage, its manifest last.

The newest two checkpoints and the best one that each of them refers to are kept, locally and in
object storage: if one is damaged, the one before it leads to the same result.

The manifest detects damage, not malice. Anyone who can write to the folder of the checkpoints can
change the weights of the model, but cannot run code: weights are safetensors, and the Trainer reads
optimiser and random states with torch's `weights_only`.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Collection, Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from transformers.trainer import TRAINER_STATE_NAME

from components.artifacts.model import bundle
from components.errors import StepError
from components.train.loop.copies import Copies, step_of
from components.train.settings import TrainSettings

_log = logging.getLogger(__name__)
_NEWEST_KEPT = 2
FINGERPRINT = "fingerprint"
_WITHOUT_EFFECT = {
    *("checkpoint_minutes", "checkpoint_steps", "checkpoint_uri"),
    *("min_int8_agreement", "search_trials", "ablation"),
    *("distill", "student_layers", "student_feedforward_share", "student_variants"),
    *("student_epochs", "student_learning_rate", "unlabelled_texts"),
}
"""Of a student's training these decide as well: its fingerprint gets them as data."""


def fingerprint(settings: TrainSettings, **data: Any) -> str:
    """Hash everything that must be equal for a run to resume from a checkpoint.

    Args:
        settings: Those that do not affect the weights are left out.
        data: Other values that affect the weights, such as the hashes of the data set, and of
            how its texts become tokens.

    Returns:
        A sha256 in hexadecimal.
    """
    effective = {
        key: value for key, value in asdict(settings).items() if key not in _WITHOUT_EFFECT
    }
    versions = {name: version(name) for name in ("torch", "transformers", "peft")}
    facts = json.dumps([effective, data, versions], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()


def newest_valid(local: Path, uri: str, expected: str) -> Path | None:
    """Find the newest checkpoint from which a run can resume.

    It and the best one it refers to must be complete; one that is only in object storage is
    downloaded. Each checkpoint that is skipped is logged as a warning with the reason, and a local
    one is renamed to `unusable-checkpoint-<step>`.

    Args:
        local: Folder of the run's checkpoints.
        uri: Folder in object storage with copies of them; may be empty.
        expected: Fingerprint of the run.

    Raises:
        InputError: If the object storage cannot be read: starting over would waste its checkpoints.
    """
    copies = Copies(uri, expected)
    copied = copies.steps()
    here = _valid(local, expected)

    def is_here(step: int) -> bool:
        if step not in here and step in copied:
            try:
                here[step] = copies.download(step, local)
            except StepError as error:
                _log.warning("train: a copied checkpoint is skipped: %s", error)
        return step in here

    for step in sorted({*here, *copied}, reverse=True):
        if not is_here(step):
            continue
        best = _best_step(here[step])
        if is_here(best):
            return here[step]
        _set_aside(here.pop(step), f"the best checkpoint, of step {best}, is lost")
    return None


def ended_at(checkpoint: Path) -> int:
    """Return the last step if training was over, by its length or by patience; else 0."""
    state = _state(checkpoint)
    is_over = state["stateful_callbacks"]["TrainerControl"]["args"]["should_training_stop"]
    return int(state["global_step"]) if is_over else 0


def _valid(local: Path, expected: str) -> dict[int, Path]:
    valid = {}
    for step, folder in _checkpoints(local):
        try:
            facts = bundle.verify(folder).facts
        except StepError as error:
            _set_aside(folder, f"{error.thing} {error.rule}")
            continue
        if facts.get(FINGERPRINT) == expected:
            valid[step] = folder
        else:
            _set_aside(folder, "it belongs to a run with other settings, data, tokens or versions")
    return valid


def _checkpoints(local: Path) -> Iterator[tuple[int, Path]]:
    for folder in sorted(local.glob("checkpoint-*")):
        step = step_of(folder.name)
        if step is not None and folder.is_dir():
            yield step, folder


def _set_aside(folder: Path, reason: str) -> None:
    _log.warning("train: %s is skipped: %s", folder, reason)
    target = folder.with_name(f"unusable-{folder.name}")
    shutil.rmtree(target, ignore_errors=True)
    folder.rename(target)


def thin_out(local: Path, in_use: Collection[int] = ()) -> Collection[int]:
    """Remove checkpoints that no resumed run needs, and return the steps of those it needs.

    Args:
        local: Folder of the run's checkpoints.
        in_use: Steps of checkpoints that stay for now, needed or not.
    """
    folders = dict(_checkpoints(local))
    newest = sorted(folders)[-_NEWEST_KEPT:]
    kept = {*newest, *(_best_step(folders[step]) for step in newest)}
    for step in folders.keys() - kept - set(in_use):
        shutil.rmtree(folders[step])
    return kept


def _best_step(checkpoint: Path) -> int:
    """The step of the best checkpoint so far, which may be this one."""
    return int(_state(checkpoint)["best_global_step"] or step_of(checkpoint.name) or 0)


def _state(checkpoint: Path) -> dict[str, Any]:
    text = (checkpoint / TRAINER_STATE_NAME).read_text(encoding="utf-8")
    state: dict[str, Any] = json.loads(text)
    return state
