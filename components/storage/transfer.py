"""Moving many files between a local folder and a store: checked, in parallel, with progress."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from components.errors import InputError
from components.storage.names import require_inside, require_no_link
from components.storage.store import Store

_log = logging.getLogger(__name__)
_BATCH_BYTES = 64 * 2**20
_BATCH_FILES = 8, 512
"""Fewest files that keep every connection busy, and most files between two progress lines."""


def upload(store: Store, folder: Path, names: Iterable[str]) -> None:
    """Copy files of a local folder into a store.

    Args:
        store: The destination.
        folder: The source.
        names: The files, relative to the folder.

    Raises:
        InputError: If a name leads out of the folder, a file is missing or a symbolic link, or
            the store cannot be written.
    """
    sizes = {}
    for name in names:
        require_no_link(folder, name)
        if not (folder / name).is_file():
            raise InputError(str(folder / name), "there is no such file", "Create it again")
        sizes[name] = (folder / name).stat().st_size
    for batch in _with_progress(sizes, f"to {store.uri}"):
        store.put(folder, batch)


def download(store: Store, sizes: Mapping[str, int], folder: Path) -> None:
    """Copy files of a store into a local folder.

    Args:
        store: The source.
        sizes: Bytes of each file by name, from `Store.sizes`.
        folder: The destination; created if it is missing.

    Raises:
        InputError: If a name leads out of the folder, or the store cannot be read.
    """
    for name in sizes:
        require_inside(name, store.uri)
    folder.mkdir(parents=True, exist_ok=True)
    for name in sizes:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    for batch in _with_progress(sizes, f"from {store.uri}"):
        store.get(batch, folder)


def _with_progress(sizes: Mapping[str, int], way: str) -> Iterator[list[str]]:
    """Yield groups of names, the largest files first; log progress after each."""
    total, done = sum(sizes.values()), 0
    for batch in batches(sizes):
        yield batch
        done += sum(sizes[name] for name in batch)
        _log.info("storage: %s of %s MB %s", f"{done / 1e6:,.1f}", f"{total / 1e6:,.1f}", way)


def batches(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Group names into batches, the largest files first.

    Args:
        sizes: Bytes of each file by name.
    """
    least, most = _BATCH_FILES
    batch: list[str] = []
    size = 0
    for name in sorted(sizes, key=lambda each: -sizes[each]):
        batch.append(name)
        size += sizes[name]
        if len(batch) >= most or (size >= _BATCH_BYTES and len(batch) >= least):
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
