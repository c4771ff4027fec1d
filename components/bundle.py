"""The model folder that train writes and evaluate, deploy and serve read.

| file | content |
| --- | --- |
| `adapter/` | PEFT adapter, safetensors |
| `merged/` | full weights (safetensors), config and tokenizer |
| `onnx/model.onnx` | the merged model as evaluate and the predictor run it |
| `labels.json` | label names in the order of their ids, and the maximum length |
| `history.json` | what was measured while training |
| `README.md` | model card |
| `manifest.json` | sha256 of every other file, written last |
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from components import storage
from components.checks import InputError

ADAPTER = "adapter"
MERGED = "merged"
TOKENIZER = "merged/tokenizer.json"
ONNX = "onnx/model.onnx"
LABELS = "labels.json"
HISTORY = "history.json"
MANIFEST = "manifest.json"

_UNSAFE_SUFFIXES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}


@dataclass(frozen=True)
class Labels:
    """What a text classifier needs to know beside its weights.

    Args:
        task: Name of the task.
        names: Label names in the order of the model's outputs.
        max_length: Texts are cut to this many tokens, special tokens included.
        pad_id: Id of the padding token.
    """

    task: str
    names: tuple[str, ...]
    max_length: int
    pad_id: int


@dataclass(frozen=True)
class Manifest:
    """A verified model folder.

    Args:
        folder: Where it is.
        sha256: Hash of the manifest file itself: it identifies the whole model.
        facts: What train said of the model (run, base model, settings).
    """

    folder: Path
    sha256: str
    facts: Mapping[str, Any]


def write_labels(folder: Path, labels: Labels) -> None:
    """Write `labels.json` into a model folder."""
    text = json.dumps(asdict(labels), indent=2)
    (folder / LABELS).write_text(text + "\n", encoding="utf-8")


def read_labels(folder: Path) -> Labels:
    """Read `labels.json` of a model folder."""
    content = json.loads((folder / LABELS).read_text(encoding="utf-8"))
    return Labels(**{**content, "names": tuple(content["names"])})


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Seal a finished model folder with the sha256 of every file in it.

    Raises:
        InputError: If the folder holds a file of a kind that can run code when loaded.
    """
    (folder / MANIFEST).unlink(missing_ok=True)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        if path.suffix in _UNSAFE_SUFFIXES:
            raise InputError(str(path), "may run code when loaded", "Save it as safetensors")
    hashes = {path.relative_to(folder).as_posix(): storage.sha256(path) for path in files}
    with storage.staged(folder / MANIFEST) as draft:
        content = {"facts": dict(facts), "files": hashes}
        draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def verify(folder: Path) -> Manifest:
    """Check every file of a model folder against its manifest.

    Raises:
        InputError: If the manifest is missing or malformed, or a file is missing, changed,
            unlisted or outside the folder.
    """
    path = folder / MANIFEST
    if not path.is_file():
        fix = "Train it again: the manifest is written last, so the model is incomplete"
        raise InputError(str(folder), f"has no {MANIFEST}", fix)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        facts, hashes = dict(content["facts"]), dict(content["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(str(path), "is not a manifest", "Train the model again") from error
    for name, expected in hashes.items():
        _verify_file(folder, name, expected)
    present = {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}
    if unlisted := sorted(present - set(hashes) - {MANIFEST}):
        raise InputError(str(folder / unlisted[0]), "is not in the manifest", "Remove the file")
    return Manifest(folder, storage.sha256(path), facts)


def _verify_file(folder: Path, name: str, expected: str) -> None:
    inner = PurePosixPath(name)
    path = folder / inner
    if inner.is_absolute() or ".." in inner.parts or path.is_symlink():
        raise InputError(str(path), "points out of the model folder", "Do not use this model")
    if not path.is_file():
        raise InputError(str(path), "is in the manifest but missing", "Copy the model again")
    if storage.sha256(path) != expected:
        raise InputError(
            str(path), "differs from its sha256 in the manifest", "Copy the model again"
        )
