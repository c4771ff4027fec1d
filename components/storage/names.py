"""Paths and URIs split into parts, and names of files that are refused."""

from pathlib import Path
from urllib.parse import unquote, urlparse

from components.errors import InputError


def require_inside(name: str, folder: str | Path) -> None:
    """Refuse the name of a file that could lead out of its folder.

    Object storage accepts any text as a name, a file system does not: a name consists of parts
    between single slashes, none of which is empty, "." or "..". A backslash separates parts on
    some systems, and NUL ends a name early.

    Raises:
        InputError: If the name is refused.
    """
    if {"", ".", ".."} & set(name.split("/")) or "\\" in name or "\0" in name:
        rule = f"its file {name!r} leads out of the folder"
        raise InputError(str(folder), rule, "Do not use the files in it")


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
    """Return the path on this machine that a plain path or file:// URI names, else None."""
    parts = urlparse(uri)
    if parts.scheme not in {"", "file"}:
        return None
    return Path(unquote(parts.path) if parts.scheme else uri)


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
