"""Settings from loosely typed values: a parameter file, a command line, a pipeline's JSON."""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_origin

from components.checks import InputError

Settings = TypeVar("Settings")


def with_options(kind: type[Settings], options: Mapping[str, Any], **given: Any) -> Settings:
    """Make settings from values that are parameters of their own and a mapping of the others.

    Args:
        kind: A settings dataclass.
        options: Further fields of it by name.
        given: Fields that may not stand in `options` as well.

    Raises:
        InputError: If an option is unknown or has the wrong type, or the settings refuse it.
    """
    types = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    for name in options:
        require_known(name, set(types) - set(given), "option")
    typed = {name: of_type(name, value, types[name]) for name, value in options.items()}
    return kind(**given, **typed)


def require_known(name: str, known: Collection[str], what: str) -> None:
    """Refuse a name that is not known; the message offers the nearest ones.

    Raises:
        InputError: If it is not known.
    """
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3)
        fix = f"Did you mean {' or '.join(near)}" if near else f"Use one of {', '.join(known)}"
        raise InputError(f"{what} {name!r}", "is not known", fix)


def of_type(name: str, value: Any, wanted: Any) -> Any:
    """A value in the type it should have, if nothing is lost by that.

    Whole numbers may come as floats, as JSON brings them, and as floats are wanted.

    Raises:
        InputError: If it has another type.
    """
    plain = get_origin(wanted) or wanted
    if plain is float and type(value) is int:
        return float(value)
    if plain is int and type(value) is float and value.is_integer():
        return int(value)
    if plain is str and value is None:
        return ""
    if not isinstance(value, plain) or (type(value) is bool and plain is not bool):
        rule = f"must be {plain.__name__}, not {type(value).__name__}"
        raise InputError(f"{name}={value!r}", rule, "Change its value")
    return value
