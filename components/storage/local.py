"""Folders on this machine, or on a shared volume."""

import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock
from fsspec.implementations.local import LocalFileSystem

from components.storage.names import local_path, require_inside, require_no_link
from components.storage.store import hashed_generation

_LOCK_SECONDS = 30
_COPY_SECONDS = 900


class LocalStore:
    """A folder on a file system (see `components.storage.store.Store`).

    A file appears whole: it is written next to the folder and then moved into place; drafts that
    a killed process leaves behind are overwritten and removed by the next one. The generation of
    a file is a hash of its content. Writers take turns.

    Args:
        uri: A plain path or file:// URI.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")
        self._root = (local_path(uri) or Path()).absolute()
        self._files = LocalFileSystem(auto_mkdir=True)

    def sizes(self) -> Mapping[str, int]:
        """Map every file below the folder to its bytes; "" is the URI itself."""
        try:
            found = self._files.find(str(self._root), on_error="raise")
        except FileNotFoundError:
            return {}
        return {_name(path, str(self._root)): self._files.size(path) for path in found}

    def put(self, folder: Path, names: Iterable[str]) -> None:
        """Copy files from a local folder."""
        wanted = list(names)
        for name in wanted:
            require_no_link(self._root, name)
        self._root.parent.mkdir(parents=True, exist_ok=True)
        drafts = self._root.with_name(f".partial-{self._root.name}")
        with FileLock(f"{drafts}.lock", timeout=_COPY_SECONDS):
            try:
                self._files.put(_paths(folder, wanted), _paths(drafts, wanted))
                for name in wanted:
                    (self._root / name).parent.mkdir(parents=True, exist_ok=True)
                    (drafts / name).replace(self._root / name)
            finally:
                shutil.rmtree(drafts, ignore_errors=True)

    def get(self, names: Iterable[str], folder: Path) -> None:
        """Copy files into a local folder."""
        wanted = list(names)
        for name in wanted:
            require_no_link(self._root, name)
        self._files.get(_paths(self._root, wanted), _paths(folder, wanted))

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; missing ones are ignored."""
        for name in names:
            path = self._path(name)
            path.unlink(missing_ok=True)
            with suppress(OSError):  # not empty, or missing
                path.parent.rmdir()

    def write(self, name: str, content: bytes) -> None:
        """Write a small file."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=path.parent, prefix=".partial-") as drafts:
            draft = Path(drafts) / path.name
            draft.write_bytes(content)
            draft.replace(path)

    def read(self, name: str) -> tuple[bytes, int]:
        """Read a small file and its generation; b"" and 0 if missing."""
        try:
            content = self._path(name).read_bytes()
        except FileNotFoundError:
            return b"", 0
        return content, hashed_generation(content)

    def replace(self, name: str, content: bytes, expected: int) -> int:
        """Write a small file if it is at the expected generation; return the new one, or 0."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
            if self.read(name)[1] != expected:
                return 0
            self.write(name, content)
            return self.read(name)[1]

    def _path(self, name: str) -> Path:
        require_inside(name, self._root)
        return self._root / name


def _name(path: str, root: str) -> str:
    return path.removeprefix(root).lstrip("/")


def _paths(folder: Path, names: Iterable[str]) -> list[str]:
    return [str(folder / name) for name in names]
