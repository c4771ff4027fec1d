"""What each setting means, as the docstrings of settings dataclasses say it."""

import ast
import inspect
import textwrap
from dataclasses import MISSING, Field, dataclass, fields
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Described:
    """A setting in words."""

    name: str
    """Name of the field."""
    type: str
    """Its type, as the code writes it."""
    default: str
    """Its default, as `--set` takes it; empty if there is none."""
    text: str
    """Its docstring, in one line."""

    def __str__(self) -> str:
        return f"{self.text} [{self.type}, default: {self.default or 'empty'}]".lstrip()


def described(kind: type) -> list[Described]:
    """The settings of a dataclass, in order.

    Args:
        kind: A dataclass whose source is at hand; a string below a field is its docstring.
    """
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    types, texts = {}, {}
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for statement, following in pairwise([*body, ast.Pass()]):
        if isinstance(statement, ast.AnnAssign):
            name = ast.unparse(statement.target)
            types[name] = ast.unparse(statement.annotation)
            texts[name] = _text(following)
    return [
        Described(each.name, types.get(each.name, ""), _default(each), texts.get(each.name, ""))
        for each in fields(kind)
    ]


def _text(statement: ast.stmt) -> str:
    match statement:
        case ast.Expr(ast.Constant(str(text))):
            return " ".join(text.split())
    return ""


def _default(field: Field[Any]) -> str:
    value = field.default if field.default_factory is MISSING else field.default_factory()
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return f"[{','.join(map(str, value))}]"
    return "" if value is MISSING or value is None else str(value)
