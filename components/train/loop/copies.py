"""Copies of checkpoints in object storage, made while training goes on."""

import logging
import re
import threading
from collections.abc import Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

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
        self.uri = uri
        self._folder = f"{uri.rstrip('/')}/{fingerprint[:16]}"

    def steps(self) -> frozenset[int]:
        """List the steps of all copies, complete or not.

        Raises:
            InputError: If the folder cannot be read.
        """
        if not self.uri:
            return frozenset()
        try:
            return frozenset(_steps(storage.open_store(self._folder).sizes()))
        # Every storage library raises errors of its own.
        except Exception as error:
            rule = f"checkpoints cannot be read from it ({error})"
            raise InputError(self.uri, rule, "Check the address and the access rights") from error

    def download(self, step: int, local: Path) -> Path:
        """Copy one checkpoint into a local folder, where it appears once it is verified.

        Raises:
            InputError: If it is incomplete or damaged.
        """
        target = local / folder_name(step)
        with storage.staged(target) as draft:
            bundle.download(f"{self._folder}/{target.name}", draft)
        _log.info("train: %s downloaded from %s", target, self.uri)
        return target

    def mirror(self, local: Path, kept: Collection[int], new: Collection[int]) -> None:
        """Keep copies of the local checkpoints of some steps, and remove all others.

        A failure is logged as a warning and made good with the next checkpoint: training does not
        stop for the loss of a safety net.

        Args:
            local: Folder of the run's checkpoints.
            kept: The steps to copy.
            new: Those of them that were written since the last call; an older try of the run may
                have left copies of the same steps.
        """
        if not self.uri:
            return
        try:
            store = storage.open_store(self._folder)
            present = store.sizes()
            whole = {step for step in kept if f"{folder_name(step)}/{bundle.MANIFEST}" in present}
            # In order of their steps: the best one is copied before those that refer to it.
            for step in sorted({*kept} - (whole - {*new})):
                _put(store, local, step)
            for step in _steps(present) - {*kept}:
                _remove(store, step, present)
        except Exception as error:  # noqa: BLE001, every storage library raises errors of its own
            steps = ", ".join(map(str, sorted(new)))
            _log.warning("train: checkpoint %s is not copied to %s: %s", steps, self.uri, error)


@dataclass(frozen=True)
class _Wanted:
    kept: frozenset[int] = frozenset()
    new: frozenset[int] = frozenset()


class Copying:
    """Makes the copies in a thread of its own; the end of a `with` block waits for them.

    While copies are under way, of several requests only the last one is kept waiting. So a slow
    store makes copies rarer, and never training slower.

    Args:
        copies: The copies of the run.
        local: Folder of the run's checkpoints.
    """

    def __init__(self, copies: Copies, local: Path) -> None:
        self._copies, self._local = copies, local
        self._pool = ThreadPoolExecutor(1, "checkpoint-copies")
        self._lock = threading.Lock()
        self._waiting = self._current = _Wanted()
        self._work: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def request(self, kept: Collection[int], newest: int) -> None:
        """Ask for copies of the checkpoints of some steps and no others.

        Args:
            kept: The steps.
            newest: The one of them that was just written.
        """
        if not self._copies.uri:
            return
        with self._lock:
            is_idle = not self._waiting.kept and not self._current.kept
            new = {newest, *self._waiting.new.intersection(kept)}
            self._waiting = _Wanted(frozenset({*kept, newest}), frozenset(new))
            if is_idle:
                self._work = self._pool.submit(self._copy)

    def in_use(self) -> Collection[int]:
        """Tell the steps of checkpoints that are read, or wait for it."""
        with self._lock:
            return self._current.kept | self._waiting.kept

    def wait(self) -> None:
        """Wait until all copies are made, or have failed."""
        if self._work:
            self._work.result()

    def _copy(self) -> None:
        while (wanted := self._next()).kept:
            self._copies.mirror(self._local, wanted.kept, wanted.new)

    def _next(self) -> _Wanted:
        with self._lock:
            self._current, self._waiting = self._waiting, _Wanted()
            return self._current


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
