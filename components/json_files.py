"""JSON files of this project's own making, checked for the fields that a reader relies on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.errors import InputError


def read_json(path: Path, fields: Mapping[str, type], fix: str) -> dict[str, Any]:
    """Read a JSON object.

    Args:
        path: The file.
        fields: Type of each field that must be there; others may be.
        fix: What to do about a file that is missing or broken, for errors.

    Raises:
        InputError: If the file is missing or is not JSON, or a field is missing or has another
            type.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(str(path), "there is no such file", fix) from error
    except ValueError as error:
        raise InputError(str(path), "is not a JSON file", fix) from error
    known: dict[str, Any] = content if isinstance(content, dict) else {}
    for name, kind in fields.items():
        if not isinstance(known.get(name), kind):
            raise InputError(str(path), f"must hold a {kind.__name__} under {name!r}", fix)
    return known
