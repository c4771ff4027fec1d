"""Copies of checkpoints in object storage, for a run that goes on elsewhere."""

import json
import logging
import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from components import bundle, storage
from components.checks import InputError

_log = logging.getLogger(__name__)
_NAME = re.compile(r"checkpoint-(\d+)")
_FIX = "Remove it, or leave it: an older one is tried"


def folder_name(step: int) -> str:
    """The name of the folder that the Trainer writes a checkpoint to."""
    return f"checkpoint-{step}"


def step_of(name: str) -> int | None:
    """The step of a checkpoint's folder, or None for another folder."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


class Copies:
    """The copied checkpoints of one run.

    Args:
        uri: A path or URI of a folder; empty for no copies.
        fingerprint: The run's fingerprint; runs with others have folders of their own.
    """

    def __init__(self, uri: str, fingerprint: str) -> None:
        self._uri = uri
        self._folder = f"{uri.rstrip('/')}/{fingerprint[:16]}"

    def steps(self) -> frozenset[int]:
        """The steps of all copies, whole or not.

        Raises:
            InputError: If the folder cannot be read.
        """
        if not self._uri:
            return frozenset()
        try:
            files, root = fsspec.core.url_to_fs(self._folder)
            return frozenset(_steps(files, root))
        # Every storage library has errors of its own.
        except Exception as error:
            rule = f"checkpoints cannot be read from it ({error})"
            raise InputError(self._uri, rule, "Check the address and the access rights") from error

    def download(self, step: int, local: Path) -> Path:
        """Copy one checkpoint into a local folder, where it appears when it is verified.

        Raises:
            InputError: If it is not whole.
        """
        target = local / folder_name(step)
        files, source = fsspec.core.url_to_fs(f"{self._folder}/{target.name}")
        with storage.staged(target) as draft:
            draft.mkdir()
            _get(files, source, draft, bundle.MANIFEST)
            for name in _listed(draft):
                _get(files, source, draft, name)
            bundle.verify(draft)
        _log.info("train: %s comes from %s", target, self._uri)
        return target

    def mirror(self, local: Path, kept: Collection[int], newest: int) -> None:
        """Have copies of the local checkpoints of some steps, and no others.

        A failure is logged as a warning and made good with the next checkpoint: to lose a safety
        net is no reason to stop.

        Args:
            local: Folder of the run's checkpoints.
            kept: The steps to have copies of.
            newest: The one that was written just now.
        """
        if not self._uri:
            return
        try:
            files, root = fsspec.core.url_to_fs(self._folder)
            there = _steps(files, root)
            whole = {step for step in there if _is_whole(files, root, step)}
            # In order of their steps: the best one is there before those that count on it.
            for step in sorted({*kept, newest} - (whole - {newest})):
                _put(files, local / folder_name(step), f"{root}/{folder_name(step)}")
            for step in there - {*kept, newest}:
                files.rm(f"{root}/{folder_name(step)}", recursive=True)
        except Exception as error:  # noqa: BLE001, every storage library has errors of its own
            _log.warning("train: checkpoint %d is not copied to %s: %s", newest, self._uri, error)


def _steps(files: Any, root: str) -> set[int]:
    files.invalidate_cache()
    try:
        names = [PurePosixPath(path).name for path in files.ls(root, detail=False)]
    except FileNotFoundError:
        return set()
    return {step for step in map(step_of, names) if step is not None}


def _is_whole(files: Any, root: str, step: int) -> bool:
    is_whole: bool = files.exists(f"{root}/{folder_name(step)}/{bundle.MANIFEST}")
    return is_whole


def _put(files: Any, folder: Path, target: str) -> None:
    manifest = f"{target}/{bundle.MANIFEST}"
    if files.exists(manifest):
        files.rm_file(manifest)
    for name in (*_listed(folder), bundle.MANIFEST):
        files.makedirs(str(PurePosixPath(target, name).parent), exist_ok=True)
        files.put_file(str(folder / name), f"{target}/{name}")


def _get(files: Any, source: str, folder: Path, name: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        files.get_file(f"{source}/{name}", str(path))
    except FileNotFoundError as error:
        raise InputError(f"{source}/{name}", "is missing", _FIX) from error


def _listed(folder: Path) -> list[str]:
    """The names in a manifest; those that lead out of the folder are refused."""
    path = folder / bundle.MANIFEST
    try:
        names = list(json.loads(path.read_text(encoding="utf-8"))["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(str(path), "is not a manifest", _FIX) from error
    for name in names:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise InputError(f"{path}, {name}", "leads out of the checkpoint", _FIX)
    return names
