"""The model folder that train writes and evaluate, deploy and serve read.

| file | content |
| --- | --- |
| `adapter/` | PEFT adapter, safetensors |
| `merged/` | full weights (safetensors), config and tokenizer |
| `onnx/model.int8.onnx` | the merged model in 8 bits, as the predictor runs it |
| `onnx/model.onnx` | the same in full precision |
| `labels.json` | label names in the order of their ids, maximum length, temperature |
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
ONNX: Mapping[str, str] = {"int8": "onnx/model.int8.onnx", "fp32": "onnx/model.onnx"}
"""The exported model by precision."""
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
        temperature: What the logits are divided by, so that probabilities are as high as the
            share of right answers; above 0.
    """

    task: str
    names: tuple[str, ...]
    max_length: int
    pad_id: int
    temperature: float = 1.0


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
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in _UNSAFE_SUFFIXES:
            raise InputError(str(path), "may run code when loaded", "Save it as safetensors")
    seal(folder, facts)


def seal(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the sha256 of every file in a folder into its manifest, which appears last."""
    (folder / MANIFEST).unlink(missing_ok=True)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
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


def publish(folder: Path, uri: str) -> None:
    """Copy a verified model folder to where its readers find it, the manifest last.

    A folder that is there already must be the same model: what is published never changes.

    Args:
        folder: The model folder.
        uri: A path, or a URI that fsspec can write (file://, gs://, s3://).

    Raises:
        InputError: If the model does not verify, or another one is there.
    """
    import fsspec

    manifest = verify(folder)
    files, root = fsspec.core.url_to_fs(uri)
    if files.exists(f"{root}/{MANIFEST}"):
        if files.cat_file(f"{root}/{MANIFEST}") == (folder / MANIFEST).read_bytes():
            return
        raise InputError(uri, "holds another model", "Publish under another name")
    names = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    for name in (*names, MANIFEST):
        target = f"{root}/{name}"
        files.makedirs(target.rpartition("/")[0], exist_ok=True)
        files.put_file(str(manifest.folder / name), target)


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
