"""Where files come from and go to: plain paths, file://, package:, gs:// and s3://."""

import errno
import hashlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlparse

from components.checks import InputError

SCHEMES = ("file", "package", "gs", "s3")


def fetch(uri: str, into: Path) -> Path:
    """Make the file or folder behind a URI readable as a local path.

    Args:
        uri: A plain path, or a URI of one of `SCHEMES`. `package:name/inner/path` is a
            file or folder inside an installed Python package.
        into: A folder for downloads; unused for what is on this machine already.

    Raises:
        InputError: If the scheme is unknown or there is nothing at the URI.
    """
    parts = urlparse(uri)
    match parts.scheme:
        case "" | "file":
            path = Path(unquote(parts.path) if parts.scheme else uri)
        case "package":
            path = _inside_package(parts.path)
        case "gs" | "s3":
            path = _download(uri, into)
        case _:
            allowed = ", ".join(SCHEMES)
            raise InputError(
                uri, f"scheme {parts.scheme!r} is not known", f"Use a path or {allowed}"
            )
    if not path.exists():
        raise InputError(uri, "there is no such file or folder", "Check the spelling")
    return path


def read_text(uri: str) -> str:
    """Read a small UTF-8 text file behind a path or URI.

    Raises:
        InputError: If it is missing, not text, or not UTF-8.
    """
    with TemporaryDirectory() as folder:
        try:
            return fetch(uri, Path(folder)).read_text(encoding="utf-8")
        except (UnicodeDecodeError, IsADirectoryError) as error:
            raise InputError(uri, "is not a UTF-8 text file", "Name a text file") from error


def sha256(path: Path) -> str:
    """The sha256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_sha256(path: Path, expected: str) -> None:
    """Refuse a file whose content is not what was pinned.

    Raises:
        InputError: If the hash differs.
    """
    if (actual := sha256(path)) != expected:
        rule = f"has sha256 {actual}, but {expected} is pinned"
        raise InputError(str(path), rule, "Get the right file, or pin this one if you trust it")


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Write a file or folder so that it appears at `target` whole or not at all.

    Yields a path beside the target to write to. It is renamed over the target when the
    block ends and removed when the block raises, so a step can be run again safely.

    Raises:
        InputError: If the disk is full.
    """
    draft = target.with_name(target.name + ".partial")
    _remove(draft)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        _remove(target)
        draft.rename(target)
    except Exception as error:
        if _is_full_disk(error):
            raise InputError(
                str(target), "no space left to write it", "Free some disk space"
            ) from error
        raise
    finally:
        _remove(draft)


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


def _inside_package(path: str) -> Path:
    package, _, inner = path.partition("/")
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"package:{path}", f"package {package!r} is not installed", "Run `make setup`"
        )
    return Path(spec.submodule_search_locations[0]) / inner


def _download(uri: str, into: Path) -> Path:
    import fsspec

    files, root = fsspec.core.url_to_fs(uri)
    target = into / Path(root).name
    files.get(root, str(target), recursive=files.isdir(root))
    return target
