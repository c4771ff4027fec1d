"""Copies of checkpoints in object storage, from which a run resumes on another machine."""

import logging
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from components import storage
from components.artifacts.model import bundle
from components.errors import InputError

_log = logging.getLogger(__name__)
_NAME = re.compile(r"checkpoint-(\d+)")


def folder_name(step: int) -> str:
    """Name the folder that the Trainer writes a checkpoint to."""
    return f"checkpoint-{step}"


def step_of(name: str) -> int | None:
    """Read the step from the name of a checkpoint's folder; None for other folders."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


class Copies:
    """The copied checkpoints of one run.

    Args:
        uri: A path or URI of a folder; empty for no copies.
        fingerprint: Fingerprint of the run; each fingerprint has a folder of its own.
    """

    def __init__(self, uri: str, fingerprint: str) -> None:
        self._uri = uri
        self._folder = f"{uri.rstrip('/')}/{fingerprint[:16]}"

    def steps(self) -> frozenset[int]:
        """List the steps of all copies, complete or not.

        Raises:
            InputError: If the folder cannot be read.
        """
        if not self._uri:
            return frozenset()
        try:
            return frozenset(_steps(storage.open_store(self._folder).sizes()))
        # Every storage library raises errors of its own.
        except Exception as error:
            rule = f"checkpoints cannot be read from it ({error})"
            raise InputError(self._uri, rule, "Check the address and the access rights") from error

    def download(self, step: int, local: Path) -> Path:
        """Copy one checkpoint into a local folder, where it appears once it is verified.

        Raises:
            InputError: If it is incomplete or damaged.
        """
        target = local / folder_name(step)
        with storage.staged(target) as draft:
            bundle.download(f"{self._folder}/{target.name}", draft)
        _log.info("train: %s downloaded from %s", target, self._uri)
        return target

    def mirror(self, local: Path, kept: Collection[int], newest: int) -> None:
        """Keep copies of the local checkpoints of some steps, and remove all others.

        A failure is logged as a warning and made good with the next checkpoint: training does not
        stop for the loss of a safety net.

        Args:
            local: Folder of the run's checkpoints.
            kept: The steps to copy.
            newest: The step of the checkpoint that was just written.
        """
        if not self._uri:
            return
        try:
            store = storage.open_store(self._folder)
            present = store.sizes()
            wanted = {*kept, newest}
            whole = {step for step in wanted if f"{folder_name(step)}/{bundle.MANIFEST}" in present}
            # In order of their steps: the best one is copied before those that refer to it.
            for step in sorted(wanted - (whole - {newest})):
                _put(store, local, step)
            for step in _steps(present) - wanted:
                _remove(store, step, present)
        except Exception as error:  # noqa: BLE001, every storage library raises errors of its own
            _log.warning("train: checkpoint %d is not copied to %s: %s", newest, self._uri, error)


def _steps(names: Iterable[str]) -> set[int]:
    found = (step_of(name.partition("/")[0]) for name in names)
    return {step for step in found if step is not None}


def _put(store: storage.Store, local: Path, step: int) -> None:
    folder = folder_name(step)
    names = [f"{folder}/{name}" for name in bundle.names(local / folder)]
    store.remove(names[-1:])
    storage.upload(store, local, names[:-1])
    store.put(local, names[-1:])


def _remove(store: storage.Store, step: int, names: Iterable[str]) -> None:
    manifest = f"{folder_name(step)}/{bundle.MANIFEST}"
    # The manifest first, so that a removal that breaks off leaves no copy that looks complete.
    store.remove([manifest])
    store.remove(name for name in names if name.startswith(f"{folder_name(step)}/"))
