"""Files on this machine: hashes, and writing whole or not at all."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.errors import InputError, WorkError

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_MOST_BYTES_OF_A_POINTER = 1024

MOST_FILES = 10_000
"""Most files of a folder that is read whole: one with more is a mistake, such as `/`."""


MOST_TEXT_BYTES = 16 * 2**20
"""Most bytes of a text file that is read whole: a larger one is a mistake."""


def read_bounded(path: Path) -> bytes:
    """Read a file that may have no end, such as a device, or be too large to be read whole.

    Raises:
        InputError: If it has more than `MOST_TEXT_BYTES`.
        OSError: If it is a folder, or there is none.
    """
    with path.open("rb") as file:
        content = file.read(MOST_TEXT_BYTES + 1)
    if len(content) > MOST_TEXT_BYTES:
        rule = f"has more than {MOST_TEXT_BYTES // 2**20} MiB, too many for a text file"
        raise InputError(str(path), rule, "Name the file that is meant")
    return content


def require_few_files(path: Path) -> None:
    """Refuse a folder of too many files before they are all read; it is not walked to its end.

    Raises:
        InputError: If there are more than `MOST_FILES` below it.
    """
    count = 0
    for _, _, files in os.walk(path):
        count += len(files)
        if count > MOST_FILES:
            raise too_many_files(str(path))


def too_many_files(name: str) -> InputError:
    """The error for a folder of too many files."""
    rule = f"holds more than {MOST_FILES:,} files"
    return InputError(name, rule, "Name the folder of the files that are meant")


def require_no_pointer(path: Path) -> None:
    """Refuse a file that git-lfs has put in the place of another.

    Raises:
        InputError: If it is one.
    """
    with path.open("rb") as file:
        require_no_pointer_in(file.read(len(_LFS_POINTER)), str(path))


def require_no_pointer_in(content: bytes, name: str) -> None:
    """Refuse the content of a file, or its beginning, that is a pointer of git-lfs.

    Raises:
        InputError: If it is one.
    """
    if content.startswith(_LFS_POINTER):
        rule = "is a pointer of git-lfs, not the file itself"
        raise InputError(name, rule, "Run `git lfs pull` in the folder that was cloned")


def may_be_pointer(size: int) -> bool:
    """Check whether a file of so many bytes is small enough to be a pointer of git-lfs."""
    return size <= _MOST_BYTES_OF_A_POINTER


def sha256(path: Path) -> str:
    """Compute the sha256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_sha256(path: Path) -> str:
    """Hash a file's content, or the names and contents of all files below a folder.

    The hash of a folder is the sha256 of what `sha256sum` prints for its files, sorted by name.

    Raises:
        InputError: If a folder holds too many files.
    """
    if path.is_file():
        return sha256(path)
    require_few_files(path)
    files = {each.relative_to(path).as_posix(): each for each in path.rglob("*") if each.is_file()}
    lines = "".join(f"{sha256(files[name])}  {name}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def require_content(name: str, path: Path, expected: str) -> None:
    """Refuse a file or folder whose content is not the pinned one.

    Args:
        name: The path or URI that the user gave.
        path: The file or folder on this machine.
        expected: Its `content_sha256`.

    Raises:
        InputError: If the hash differs.
    """
    if (actual := content_sha256(path)) != expected:
        rule = f"has sha256 {actual}, but {expected} is pinned"
        raise InputError(name, rule, "Get the right content, or pin this one if you trust it")


def require_replaceable(folder: Path, marker: str) -> None:
    """Refuse a folder that would be lost if an output were written in its place.

    Args:
        folder: Where the output is to go.
        marker: Name of a file that tells an earlier output of the same kind.

    Raises:
        InputError: If there is something else in it, or it is no folder.
    """
    _require_no_device(folder)
    if folder.is_file():
        raise InputError(str(folder), "is a file, where a folder is to go", "Name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / marker).exists():
        rule = f"holds something else (it has no {marker}), which would be lost"
        raise InputError(str(folder), rule, "Name a folder that is new or empty")


def _require_no_device(target: Path) -> None:
    if target.exists() and not target.is_file() and not target.is_dir():
        raise InputError(str(target), "is neither a file nor a folder", "Name another output")


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Write a file or folder so that it appears at `target` whole or not at all.

    Yields a path next to the target to write to. It is renamed over the target when the
    block ends and removed when the block raises, so a step can safely be run again.

    Raises:
        InputError: If the target is a device or the like, or a folder where a file should go.
        WorkError: If the disk is full.
    """
    _require_no_device(target)
    draft = target.with_name(target.name + ".partial")
    _remove(draft)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        _put(draft, target)
    except Exception as error:
        if _is_full_disk(error):
            rule = "no space left to write it"
            raise WorkError(str(target), rule, "Free some disk space") from error
        raise
    finally:
        _remove(draft)


def _put(draft: Path, target: Path) -> None:
    if draft.is_file() and target.is_dir():
        raise InputError(str(target), "is a folder, where a file is to go", "Name a file")
    _remove(target)
    draft.rename(target)


def _is_full_disk(error: Exception) -> bool:
    # Libraries with a core of their own (safetensors, torch) wrap the system's error in text.
    codes = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if isinstance(error, OSError):
        return error.errno in codes
    return any(os.strerror(code) in str(error) for code in codes)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
