"""Paths and URIs split into parts, and names of files that are refused."""

import re
from pathlib import Path
from urllib.parse import unquote

from components.errors import InputError

REMOTE = ("gs", "minio", "s3")
STORES = ("file", *REMOTE)
SCHEMES = ("file", "package", *REMOTE)

_URI = re.compile(r"\s*(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>.*)", re.DOTALL)
# Buckets of Google and Amazon, old names and Amazon's access points among them.
_IN_BUCKET = re.compile(r"//[A-Za-z0-9]([\w.:-]*[A-Za-z0-9])?(/+|/(?!/).*)?", re.DOTALL)
_IN_FILES = re.compile(r"(//(localhost)?)?(?P<path>/(?!/).*|/)", re.DOTALL)


def scheme_of(uri: str) -> str:
    """The scheme of a URI in lower case; "" for a plain path.

    Raises:
        InputError: If the URI has a known scheme and is not in its form, so that its parts would
            be taken for others: gs:/bucket, GS://bucket, gs:///folder, file://folder.
    """
    parts = _URI.fullmatch(uri)
    if not parts:
        return ""
    scheme = parts["scheme"].lower()
    if scheme in SCHEMES:
        if not uri.startswith(f"{scheme}:") or uri != uri.rstrip():
            fix = f"Write {scheme}: in lower case, without a space before or after the URI"
            raise InputError(repr(uri), "is not a URI", fix)
        if scheme in REMOTE and not _IN_BUCKET.fullmatch(parts["rest"]):
            rule = "does not name a bucket"
            raise InputError(repr(uri), rule, f"Write {scheme}://bucket/folder")
        if scheme == "file" and not _IN_FILES.fullmatch(parts["rest"]):
            rule = "is not the URI of a file on this machine"
            fix = "Write file:///folder from the root on, or a path without file:"
            raise InputError(repr(uri), rule, fix)
    return scheme


def require_inside(name: str, folder: str | Path) -> None:
    """Refuse the name of a file that could lead out of its folder.

    Object storage accepts any text as a name, a file system does not: a name consists of parts
    between single slashes, none of which is empty, "." or "..". A backslash separates parts on
    some systems, and NUL ends a name early.

    Raises:
        InputError: If the name is refused.
    """
    parts = set(name.split("/"))
    if {"", ".", ".."} & parts or "\\" in name or "\0" in name:
        rule = f"its file {name!r} leads out of the folder"
        plain = "Do not use the files in it"
        fix = "Rename it, so that single slashes separate the parts of its name"
        raise InputError(str(folder), rule, fix if "" in parts else plain)


def require_no_link(folder: Path, name: str) -> None:
    """Refuse a file below a folder that is, or lies behind, a symbolic link.

    Raises:
        InputError: If the name is refused, or a part of the path is a link.
    """
    require_inside(name, folder)
    path = folder
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            rule = "is a symbolic link, which may lead out of the folder"
            raise InputError(str(path), rule, "Put the file itself there")


def local_path(uri: str) -> Path | None:
    """The path on this machine that a plain path or file:// URI names, else None.

    A plain path may begin with ~ for the home folder, as it does in a shell.

    Raises:
        InputError: If `scheme_of` refuses it, or it holds NUL.
    """
    if (scheme := scheme_of(uri)) not in {"", "file"}:
        return None
    named = _IN_FILES.fullmatch(uri.removeprefix("file:")) if scheme else None
    path = unquote(named["path"]) if named else uri
    if "\0" in path:
        raise InputError(repr(uri), "holds NUL, which ends a name early", "Leave it out")
    if named:
        return Path(path)
    return Path(path).expanduser() if path == "~" or path.startswith("~/") else Path(path)


def is_place(reference: str) -> bool:
    """Tell whether text is a URI, or a path to something; what is neither may be a hub id.

    Raises:
        InputError: If `scheme_of` refuses it.
    """
    path = local_path(reference)
    try:
        return path is None or bool(scheme_of(reference)) or path.exists()
    except OSError:
        # A name that is too long, or behind a closed folder.
        return False


def split(uri: str) -> tuple[str, str]:
    """Split a path or URI into the folder it is in and its name there.

    Raises:
        InputError: If the URI names a whole bucket.
    """
    if path := local_path(uri):
        return str(path.absolute().parent), path.absolute().name
    parent, _, name = uri.rstrip("/").rpartition("/")
    if parent.endswith(":/"):
        raise InputError(uri, "is a whole bucket", "Use a folder in it")
    return parent, name
