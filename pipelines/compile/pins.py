"""Content hashes of outside data as parameters, so that KFP's cache sees when it changes."""

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components import storage
from components.generate.engines import parse_model
from components.generate.focus import REGISTRY

_SHIPPED = re.compile(r"[\w-]*")
_WEIGHTS = "model.safetensors"
_FILES = (
    ("evaluate_options", "out_of_domain"),
    ("merge_options", "feedback"),
    ("train_options", "unlabelled_texts"),
)
"""Options that name a file."""


def pinned(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the hash of everything they name that is not pinned yet.

    Hub ids have their commit, and files of a package have the image's digest. A folder for vLLM
    is not read, since it may hold many GB; `vllm:folder@sha256:...` pins it by hand.

    Args:
        values: A value for every parameter of the pipeline.

    Raises:
        InputError: If something they name cannot be read.
    """
    result = dict(values)
    for name in ("task", "generate_style", "evaluate_gate"):
        result[name] = _file(values[name])
    result["generate_models"] = [_model(each) for each in values["generate_models"]]
    for group, option in _FILES:
        if given := values[group].get(option):
            result[group] = {**values[group], option: _file(given)}
    if focus := values["generate_options"].get("focus"):
        named = focus if focus.startswith(REGISTRY) else _file(focus)
        result["generate_options"] = {**values["generate_options"], "focus": named}
    if encoder := values["merge_options"].get("encoder"):
        result["merge_options"] = {**result["merge_options"], "encoder": _encoder(encoder)}
    result["merge_dataset_revision"] = _dataset_revision(
        values["merge_dataset"], values["merge_dataset_revision"]
    )
    result["train_base_model_revision"] = _base_revision(
        values["train_base_model"], values["train_base_model_revision"]
    )
    return result


def _model(reference: str) -> str:
    model = parse_model(reference)
    is_file = model.kind in {"llama.cpp", "recorded"} and storage.PIN not in reference
    if not is_file or model.location.startswith("package:"):
        return reference
    return f"{reference}{storage.PIN}{_hash(model.location)}"


def _file(reference: str) -> str:
    if _SHIPPED.fullmatch(reference) or storage.PIN in reference:
        return reference
    return f"{reference}{storage.PIN}{_hash(reference)}"


def _encoder(reference: str) -> str:
    # A folder of this machine is read where the pipeline runs on it, and nowhere else.
    return _file(reference) if storage.scheme_of(reference) else reference


def _dataset_revision(dataset: str, given: str) -> str:
    if dataset == "sample" or given.startswith("sha256:") or not _is_outside(dataset):
        return given
    if path := storage.local_path(dataset):
        # The reader of rows takes a second to import, and a folder without any takes long to hash.
        from components.merge.reading.sources import require_files

        require_files(path)
    return f"sha256:{_hash(dataset)}"


def _base_revision(base_model: str, given: str) -> str:
    if given or not _is_outside(base_model):
        return given
    return f"sha256:{_hash(base_model, _WEIGHTS)}"


def _is_outside(place: str) -> bool:
    """True for a file or folder that is neither on the hub nor in a package."""
    return not place.startswith("package:") and storage.is_place(place)


def _hash(uri: str, inner: str = "") -> str:
    with TemporaryDirectory() as downloads:
        return storage.content_sha256(storage.fetch(uri, Path(downloads)) / inner)
