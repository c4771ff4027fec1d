"""Names of files below a folder, and those that are refused."""

from pathlib import Path

from components.checks import InputError


def require_inside(name: str, folder: str | Path) -> None:
    """Refuse the name of a file that could lead out of its folder.

    Object storage takes any text for a name, a file system does not: a name is made of parts
    between single slashes, and no part is empty, "." or "..". A back-slash separates parts on
    some systems, and NUL ends a name early.

    Raises:
        InputError: If the name is refused.
    """
    if {"", ".", ".."} & set(name.split("/")) or "\\" in name or "\0" in name:
        rule = f"its file {name!r} leads out of the folder"
        raise InputError(str(folder), rule, "Do not use what is in it")


def require_no_link(folder: Path, name: str) -> None:
    """Refuse a file below a folder that is, or lies behind, a symbolic link.

    Raises:
        InputError: If the name is refused, or there is a link on its way.
    """
    require_inside(name, folder)
    path = folder
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            rule = "is a symbolic link, which may lead out of the folder"
            raise InputError(str(path), rule, "Put the file itself there")
