"""The model folder: its files, its labels, and the manifest that seals it.

| file | content |
| --- | --- |
| `adapter/` | PEFT adapter, safetensors |
| `merged/` | full weights (safetensors), config and tokenizer |
| `onnx/model.int8.onnx` | the merged model in 8 bits, which the predictor runs |
| `onnx/model.onnx` | the same in full precision |
| `labels.json` | label names in the order of their ids, maximum length, temperature |
| `history.json` | learning curves (see `history`) |
| `README.md` | model card |
| `manifest.json` | sha256 of every other file, written last |
| `model.sig` | in a published folder, if it is signed (see `artifacts.signatures`) |

The files in `SERVING` and the manifest are all that the predictor reads. On their own they are a
model folder as well, with the same manifest and so the same identity.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components import storage
from components.errors import InputError

ADAPTER = "adapter"
MERGED = "merged"
TOKENIZER = "merged/tokenizer.json"
ONNX: Mapping[str, str] = {"int8": "onnx/model.int8.onnx", "fp32": "onnx/model.onnx"}
"""The exported model by precision."""
LABELS = "labels.json"
MANIFEST = "manifest.json"
SIGNATURE = "model.sig"
SERVING = (LABELS, TOKENIZER, ONNX["int8"])
"""The files that serve a model in int8."""

_UNSAFE_SUFFIXES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}


@dataclass(frozen=True)
class Labels:
    """Facts that a text classifier needs in addition to its weights.

    Args:
        task: Name of the task.
        names: Label names in the order of the model's outputs.
        max_length: Texts are cut to this many tokens, special tokens included.
        pad_id: Id of the padding token.
        temperature: Divisor of the logits before the softmax, above 0; makes probabilities
            match the share of right predictions.
    """

    task: str
    names: tuple[str, ...]
    max_length: int
    pad_id: int
    temperature: float = 1.0


@dataclass(frozen=True)
class SealedModel:
    """A model folder whose files match its manifest.

    Args:
        folder: The folder.
        sha256: Hash of the manifest file itself: it identifies the whole model.
        facts: Facts that train recorded (run, base model, settings).
        files: Names of its files in the order of the manifest, which is not among them.
    """

    folder: Path
    sha256: str
    facts: Mapping[str, Any]
    files: tuple[str, ...]


def write_labels(folder: Path, labels: Labels) -> None:
    """Write `labels.json` into a model folder."""
    text = json.dumps(asdict(labels), indent=2)
    (folder / LABELS).write_text(text + "\n", encoding="utf-8")


def read_labels(folder: Path) -> Labels:
    """Read `labels.json` of a model folder."""
    content = json.loads((folder / LABELS).read_text(encoding="utf-8"))
    return Labels(**{**content, "names": tuple(content["names"])})


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Seal a finished model folder.

    Raises:
        InputError: If the folder holds a file that may run code when loaded.
    """
    (folder / MANIFEST).unlink(missing_ok=True)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in _UNSAFE_SUFFIXES:
            raise InputError(str(path), "may run code when loaded", "Save it as safetensors")
    seal(folder, facts)


def seal(folder: Path, facts: Mapping[str, Any]) -> None:
    """Seal a folder: write its manifest, with the sha256 of every file, last."""
    (folder / MANIFEST).unlink(missing_ok=True)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hashes = {path.relative_to(folder).as_posix(): storage.sha256(path) for path in files}
    with storage.staged(folder / MANIFEST) as draft:
        content = {"facts": dict(facts), "files": hashes}
        draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def verify(folder: Path) -> SealedModel:
    """Check every file of a model folder, whole or reduced to what serves, against its manifest.

    Raises:
        InputError: If the manifest is missing or malformed, or a file is missing, changed,
            unlisted or outside the folder.
    """
    content = _manifest(folder)
    facts, hashes = _parsed(content, str(folder / MANIFEST))
    present = {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}
    present -= {SIGNATURE}
    demanded = _demanded(hashes, present)
    for name, expected in demanded.items():
        _verify_file(folder, name, expected)
    if unlisted := sorted(present - set(hashes) - {MANIFEST}):
        raise InputError(str(folder / unlisted[0]), "is not in the manifest", "Remove the file")
    return SealedModel(folder, hashlib.sha256(content).hexdigest(), facts, tuple(demanded))


def read_facts(manifest: Path) -> Mapping[str, Any]:
    """Read the facts in a manifest, without looking at the files that it lists.

    Raises:
        InputError: If the manifest is malformed.
    """
    storage.require_no_pointer(manifest)
    return _parsed(manifest.read_bytes(), str(manifest))[0]


def names(folder: Path) -> list[str]:
    """List the files of a sealed folder in the order of its manifest, which comes last.

    Raises:
        InputError: If the manifest is missing or malformed.
    """
    return [*_parsed(_manifest(folder), str(folder / MANIFEST))[1], MANIFEST]


def download(uri: str, folder: Path) -> SealedModel:
    """Download the files of a published folder that its manifest lists, and verify them.

    Its signature comes with them, if it has one, but is not verified here.

    Raises:
        InputError: If there is none, it is incomplete, does not verify or cannot be read.
    """
    store = storage.open_store(uri)
    manifest, _ = store.read(MANIFEST)
    if not manifest:
        raise _incomplete(uri)
    _, hashes = _parsed(manifest, f"{uri}/{MANIFEST}")
    sizes = store.sizes()
    demanded = _demanded(hashes, set(sizes) - {SIGNATURE})
    if missing := sorted(set(demanded) - set(sizes)):
        raise _missing(f"{uri}/{missing[0]}")
    wanted = {*demanded, SIGNATURE} & set(sizes)
    storage.download(store, {name: sizes[name] for name in sorted(wanted)}, folder)
    (folder / MANIFEST).write_bytes(manifest)
    return verify(folder)


def _demanded(hashes: Mapping[str, str], present: Iterable[str]) -> Mapping[str, str]:
    """The files of a manifest that must be there: all, or what serves where nothing else is."""
    is_serving_part = set(present) == {*SERVING, MANIFEST} and set(SERVING) <= set(hashes)
    return {name: hashes[name] for name in SERVING} if is_serving_part else hashes


def _manifest(folder: Path) -> bytes:
    if not (folder / MANIFEST).is_file():
        raise _incomplete(str(folder))
    storage.require_no_pointer(folder / MANIFEST)
    return (folder / MANIFEST).read_bytes()


def _missing(where: str) -> InputError:
    return InputError(where, "is in the manifest but missing", "Copy the model again")


def _incomplete(where: str) -> InputError:
    fix = "Create it again: the manifest is written last, so the folder is incomplete"
    return InputError(where, f"has no {MANIFEST}", fix)


def _parsed(manifest: bytes, where: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The facts in a manifest, and the sha256 of each file by name."""
    try:
        content = json.loads(manifest)
        facts, hashes = dict(content["facts"]), dict(content["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(where, "is not a manifest", "Create the folder again") from error
    for name in hashes:
        storage.require_inside(name, where)
    return facts, hashes


def _verify_file(folder: Path, name: str, expected: str) -> None:
    storage.require_no_link(folder, name)
    path = folder / name
    if not path.is_file():
        raise _missing(str(path))
    storage.require_no_pointer(path)
    if storage.sha256(path) != expected:
        rule = "differs from its sha256 in the manifest"
        raise InputError(str(path), rule, "Copy the model again")
