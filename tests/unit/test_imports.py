"""Imports run one way: pipelines, steps, artifacts, shared modules, storage, errors."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
STEPS = {
    *("preflight", "generate", "merge", "train", "evaluate", "deploy", "outcome"),
    "serve",
    "watch",
    "predict",
}
ACROSS = {
    "generate": {"merge"},
    "preflight": STEPS - {"preflight", "serve", "outcome", "watch", "predict"},
}
"""Steps that import others: few-shot rows are read with merge's reader, settings are checked."""


def modules():
    """Every module of the project by its dotted name."""
    files = [each for name in ("components", "pipelines") for each in (TOP / name).rglob("*.py")]
    names = (".".join(each.relative_to(TOP).with_suffix("").parts) for each in files)
    return {name.removesuffix(".__init__"): file for name, file in zip(names, files, strict=True)}


MODULES = modules()


def imported(name):
    """The project's modules that a module imports anywhere in its code, functions included."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & set(MODULES) or {node.module}
    return found & set(MODULES)


IMPORTS = {name: imported(name) - {name} for name in MODULES}


def step_of(name):
    parts = name.split(".")
    return parts[1] if parts[0] == "components" and len(parts) > 1 and parts[1] in STEPS else ""


def layer(name):
    parts = name.split(".")
    if parts[0] == "pipelines":
        return 5
    if step_of(name):
        return 4
    if parts[:2] == ["components", "artifacts"]:
        return 3
    return {"storage": 1, "errors": 0}.get(parts[1] if len(parts) > 1 else "", 2)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_imports_no_higher_layer_and_no_other_step(name):
    assert {each for each in IMPORTS[name] if layer(each) > layer(name)} == set()
    if own := step_of(name):
        others = {step_of(each) for each in IMPORTS[name]} - {"", own}
        assert others <= ACROSS.get(own, set())


def test_there_are_no_circles():
    # A package imports its modules to offer them; its modules do not import it.
    assert list(TopologicalSorter(IMPORTS).static_order())
