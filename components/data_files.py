"""Small YAML and JSON files, read and checked with errors that name them.

YAML follows the rules of version 1.2: `1e-3` is a number, and `on`, `off`, `yes`, `no` and dates
are text; a key that occurs twice in a mapping is an error.

Source: https://yaml.org/spec/1.2.2/#103-core-schema
"""

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode

from components import storage
from components.errors import InputError

_Record = TypeVar("_Record")

# Short enough for the name of a file in any script.
_SHIPPED_NAME = re.compile(r"[\w-]{0,63}")


class _Constructor(SafeConstructor):
    """ruamel's constructor of plain values, without the types of YAML 1.1 that 1.2 dropped."""

    def construct_scalar(self, node: Any) -> Any:
        """A scalar as text; JSON writes some characters as two escapes, which are joined."""
        text = super().construct_scalar(node)
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


for _dropped in ("timestamp", "value", "merge", "yaml"):
    _Constructor.add_constructor(
        f"tag:yaml.org,2002:{_dropped}", SafeConstructor.construct_yaml_str
    )


class _Dumper(yaml.SafeDumper):
    """PyYAML's dumper, which also quotes the text that only YAML 1.2 reads as a number."""


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+[eE][-+]?\d+|0o[0-7]+"), list("-+0123456789")
)


def to_yaml(value: Any) -> str:
    """A YAML document that readers of YAML 1.1 and 1.2 understand alike."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False)


def parse_yaml(text: str, what: str) -> Any:
    """Parse a YAML document.

    Args:
        text: The document.
        what: Names it in errors: `style file my.yaml`.

    Raises:
        InputError: If it is not valid YAML.
    """
    try:
        return _reader().load(text)
    except (YAMLError, ValueError) as error:
        raise InputError(what, "is not valid YAML", _first_line(error)) from error
    except RecursionError as error:
        fix = "Write it with fewer brackets within each other"
        raise InputError(what, "is nested too deeply", fix) from error


def parse_scalar(text: str) -> Any:
    """The number, truth value or null that a text is in YAML; every other text is itself.

    Nothing in it is YAML's notation for anything else: no comment, anchor, alias, tag or mapping.
    """
    reader = _reader()
    tag = reader.resolver.resolve(ScalarNode, text.strip(), (True, False))
    value = reader.constructor.construct_object(ScalarNode(tag, text.strip()))
    return text if isinstance(value, str) else value


def _reader() -> YAML:
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = _Constructor
    return reader


def read_mapping(reference: str | Path, what: str) -> dict[str, Any]:
    """Read a YAML file of names and values; an empty file holds none.

    Args:
        reference: Path or URI of the file.
        what: Kind of the file, for errors: `gate file`.

    Raises:
        InputError: If the file cannot be read, is not valid YAML, or is not a mapping.
    """
    thing = f"{what} {reference}"
    try:
        text = storage.read_text(str(reference))
    except InputError as error:
        raise InputError(thing, error.rule, error.fix) from error
    content = parse_yaml(text, thing)
    return {} if content is None else require_mapping(content, thing)


def read_shipped(reference: str, shipped: Traversable, what: str) -> dict[str, Any]:
    """Read a YAML file that comes with the project by its name, or any other by path or URI.

    Args:
        reference: Name of a shipped file without its suffix, or path or URI of a file.
        shipped: Folder of the shipped files.
        what: Kind of the file, for errors.

    Raises:
        InputError: If there is no such file, or `read_mapping` refuses it.
    """
    files = shipped_files(shipped)
    thing = f"{what} {reference}"
    if reference in files:
        text = files[reference].read_text(encoding="utf-8")
        return require_mapping(parse_yaml(text, thing), thing)
    if _SHIPPED_NAME.fullmatch(reference) and not Path(reference).is_file():
        fix = f"Use {', '.join(sorted(files))}, or a path or URI"
        raise InputError(f"{what} {reference!r}", "is not known", fix)
    return read_mapping(reference, what)


def shipped_files(folder: Traversable) -> dict[str, Traversable]:
    """The YAML files of a folder of the package, by their names without suffix."""
    return {Path(each.name).stem: each for each in folder.iterdir() if each.name.endswith(".yaml")}


def require_mapping(value: Any, thing: str) -> dict[str, Any]:
    """Refuse what is not a mapping whose names are text.

    Raises:
        InputError: If it is something else.
    """
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise InputError(thing, "must hold names and values", "Write `name: value`, one per line")
    return value


def read_json(path: Path, fix: str) -> Any:
    """Read a JSON file of the project's own making.

    Args:
        path: The file.
        fix: What to do about a file that is missing or broken, for errors.

    Raises:
        InputError: If the file is missing, cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(str(path), "there is no such file", fix) from error
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})", fix) from error
    except (RecursionError, ValueError) as error:
        raise InputError(str(path), f"is not a JSON file: {error}", fix) from error


def read_record(kind: type[_Record], path: Path, required: Mapping[str, type], fix: str) -> _Record:
    """Read a dataclass from a JSON object; fields that it does not have are left out.

    Args:
        kind: The dataclass.
        path: The file.
        required: Type of each field that must be in the file.
        fix: What to do about a file that is missing or broken, for errors.

    Raises:
        InputError: If `read_json` refuses it, or a field is missing or has another type.
    """
    content = read_json(path, fix)
    known = content if isinstance(content, dict) else {}
    for name, each in required.items():
        if not isinstance(known.get(name), each):
            raise InputError(str(path), f"must hold a {each.__name__} under {name!r}", fix)
    names = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in known.items() if name in names})


def _first_line(error: Exception) -> str:
    place = getattr(error, "problem_mark", None)
    where = f" in line {place.line + 1}" if place else ""
    reason = str(getattr(error, "problem", None) or error)
    return f"Correct it{where}: {' '.join(reason.split())}"
