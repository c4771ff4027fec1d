"""Stores opened, and files moved between them and this machine: checked, with progress."""

import importlib.util
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import BytesIO, TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory

from components.errors import InputError, StepError
from components.storage.files import (
    MOST_FILES,
    read_bounded,
    require_content,
    require_no_pointer,
    staged,
    too_many_files,
)
from components.storage.names import (
    REMOTE,
    SCHEMES,
    STORES,
    local_path,
    require_inside,
    require_no_link,
    scheme_of,
    split,
)
from components.storage.store import Store

PIN = "@sha256:"
"""Separates a path or URI from the `content_sha256` that it must have."""

_MISSING = "there is no such file or folder"
_BATCH_BYTES = 64 * 2**20
_BATCH_FILES = 8, 512
"""Fewest files that keep every connection busy, and most files between two progress lines."""
_log = logging.getLogger(__name__)


class NoPackageError(InputError):
    """The Python package that should hold a file is not installed."""


def open_store(uri: str) -> Store:
    """Open the store behind a plain path, or a URI with one of the schemes in `STORES`.

    Raises:
        InputError: If the scheme is not one of them, or there are no credentials for it.
    """
    require_store(uri)
    match scheme_of(uri):
        case "gs":
            from components.storage.google import GoogleStore

            return GoogleStore(uri)
        case "minio" | "s3":
            from components.storage.s3 import S3Store

            return S3Store(uri)
        case _:
            from components.storage.local import LocalStore

            return LocalStore(uri)


def require_store(uri: str) -> None:
    """Refuse a URI that `open_store` would refuse, without opening it.

    Raises:
        InputError: If its scheme is not known, or it is not in the form of its scheme.
    """
    scheme = scheme_of(uri)
    if scheme and scheme not in STORES:
        fix = f"Use a path or one of {', '.join(STORES)}"
        raise InputError(uri, f"scheme {scheme!r} cannot be written", fix)


def require_readable(uri: str) -> None:
    """Refuse a URI that `fetch` would refuse for its form, without looking for anything.

    Raises:
        InputError: If its scheme is not known, or it is not in the form of its scheme.
    """
    scheme = scheme_of(uri)
    if scheme and scheme not in SCHEMES:
        fix = f"Use a path or {', '.join(SCHEMES)}"
        raise InputError(uri, f"scheme {scheme!r} is not known", fix)


def require_writable(uri: str, name: str) -> None:
    """Refuse a folder in which no file can be written; one is, and is removed again.

    Args:
        uri: Path, or file://, gs:// or s3:// URI of the folder.
        name: Name of the file, which no other file has.

    Raises:
        InputError: If it cannot be written.
    """
    store = open_store(uri)
    try:
        store.write(name, b"{}\n")
    except OSError as error:
        fix = "Check the folder and the rights of the account"
        raise InputError(uri, f"cannot be used: {error}", fix) from error
    # An account may write without a right to remove; then the file stays.
    with suppress(StepError, OSError):
        store.remove([name])


def fetch(uri: str, into: Path) -> Path:
    """Make the file or folder behind a URI readable as a local path.

    Args:
        uri: A plain path, or a URI of one of `SCHEMES`. `package:name/inner/path` is a
            file or folder inside an installed Python package. A `content_sha256` after a final
            `@sha256:` pins the content.
        into: A folder for downloads; unused for what is already on this machine.

    Raises:
        InputError: If the scheme is unknown, there is nothing at the URI, it cannot be read, it
            holds too many files, one has a name that leads out of its folder, it is a pointer of
            git-lfs, or its hash differs.
    """
    place, _, digest = uri.partition(PIN)
    path = _located(place, into)
    if digest:
        require_content(place, path, digest)
    return path


def require_there(uri: str) -> None:
    """Refuse a path or URI that leads to nothing, without downloading or hashing anything.

    Raises:
        NoPackageError: If it is in a Python package that is not installed.
        InputError: If there is nothing, or it cannot be read.
    """
    place = uri.partition(PIN)[0]
    if scheme_of(place) not in REMOTE:
        _located(place, Path())
    elif not open_store(place).sizes():
        raise InputError(place, _MISSING, "Check the spelling")


def read_text(uri: str) -> str:
    """Read a small UTF-8 text file behind a path or URI.

    Raises:
        InputError: If it is missing, too large, not text, or not UTF-8.
    """
    with TemporaryDirectory() as folder:
        try:
            content = BytesIO(read_bounded(fetch(uri, Path(folder))))
            return TextIOWrapper(content, encoding="utf-8").read()
        except IsADirectoryError as error:
            raise InputError(uri, "is a folder", "Name a file in it") from error
        except UnicodeDecodeError as error:
            raise InputError(uri, "is not a UTF-8 text file", "Use a text file") from error
        except OSError as error:
            fix = "Check the rights of the account"
            raise InputError(uri, f"cannot be read ({error.strerror})", fix) from error


def upload(store: Store, folder: Path, names: Iterable[str]) -> None:
    """Copy files of a local folder into a store.

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
    """Group names of files into batches by their bytes, the largest files first."""
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


def _located(uri: str, into: Path) -> Path:
    require_readable(uri)
    match scheme_of(uri):
        case "" | "file":
            path = local_path(uri) or Path()
        case "package":
            path = _inside_package(uri.removeprefix("package:"))
        case _:
            path = _downloaded(uri, into)
    try:
        if path.is_file():
            require_no_pointer(path)
        path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(uri, _MISSING, "Check the spelling") from error
    except OSError as error:
        fix = "Check the path and the rights of the account"
        raise InputError(uri, f"cannot be read ({error.strerror})", fix) from error
    return path


def _inside_package(path: str) -> Path:
    package, _, inner = path.partition("/")
    if inner:
        require_inside(inner.removesuffix("/"), f"package:{package}")
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):  # ValueError is for a name that is none
        spec = None
    if spec is None or not spec.submodule_search_locations:
        rule = f"package {package!r} is not installed"
        raise NoPackageError(f"package:{path}", rule, "Run `make setup`")
    return Path(spec.submodule_search_locations[0]) / inner


def _downloaded(uri: str, into: Path) -> Path:
    """Copy the file or folder at a URI; a file is put into a folder of its own name."""
    store = open_store(uri)
    sizes = store.sizes()
    name = uri.rstrip("/").rpartition("/")[2]
    require_inside(name, uri)
    if not sizes:
        raise InputError(uri, _MISSING, "Check the spelling")
    if len(sizes) > MOST_FILES:
        raise too_many_files(uri)
    is_file = "" in sizes
    if is_file:
        store, sizes = open_store(split(uri)[0]), {name: sizes[""]}
    with staged(into / name) as draft:
        download(store, sizes, draft)
    return into / name / name if is_file else into / name
