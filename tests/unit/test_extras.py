"""Each image has the packages of one extra: what runs there imports nothing else."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.test_imports import MODULES

TOP = Path(__file__).parents[2]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
IMAGES = {
    **{
        file.parent.name: re.search(r'base_image="emotion-pipeline/(\w+)"', file.read_text())[1]
        for file in sorted((TOP / "components").glob("*/component.py"))
    },
    "serve": "serve",
}
"""The image of each step, and of the predictor."""

UNCHECKED = {
    "preflight": {"datasets"},
    "watch": {"presidio_analyzer", "presidio_anonymizer", "spacy"},
}
"""Packages that a step can do without: it says what it does not do."""

# Imports a package and all in it where other packages are not there, and names what it cannot.
PROGRAM = """
import importlib, json, pkgutil, sys
from importlib.machinery import PathFinder

told = json.load(sys.stdin)
others = set(told["others"])


class Image(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in others else super().find_spec(name, path, target)

    @classmethod
    def find_distributions(cls, *context):
        for each in super().find_distributions(*context):
            if each.name in told["distributions"]:
                yield each


sys.meta_path[sys.meta_path.index(PathFinder)] = Image
package = importlib.import_module(told["package"])
inner = pkgutil.walk_packages(package.__path__, f"{told['package']}.")
failed = {}
for name in [told["package"], *(each.name for each in inner)]:
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = error.name
json.dump(failed, sys.stdout)
"""


@cache
def distributions_of(extra):
    """The distributions that an extra brings, by their canonical names, with their own extras."""
    extras = PROJECT["optional-dependencies"]
    found = {}
    left = [*map(Requirement, PROJECT["dependencies"]), *map(Requirement, extras[extra])]
    while left:
        wanted = left.pop()
        name = canonicalize_name(wanted.name)
        if name == PROJECT["name"]:
            left += [Requirement(each) for inner in wanted.extras for each in extras[inner]]
        elif not wanted.extras | {""} <= found.get(name, set()):
            found[name] = found.get(name, set()) | wanted.extras | {""}
            needs = map(Requirement, metadata.requires(name) or [])
            left += [each for each in needs if is_needed(each, found[name])]
    return set(found)


def is_needed(requirement, extras):
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


@cache
def top_level_modules():
    """The canonical names of the distributions that have a module, by its name."""
    return {
        module: set(map(canonicalize_name, names))
        for module, names in metadata.packages_distributions().items()
        if module not in {"components", "pipelines", "tests"}
    }


def not_imported(package, allowed):
    others = [name for name, owners in top_level_modules().items() if not owners & allowed]
    names = [
        each.name for each in metadata.distributions() if canonicalize_name(each.name) in allowed
    ]
    told = json.dumps({"package": package, "others": others, "distributions": names})
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, input=told, capture_output=True, text=True, cwd=TOP, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def imports_of(name, *, in_functions):
    """What a module imports, by its dotted name, when it is imported, or ever."""
    found, left = set(), [ast.parse(MODULES[name].read_text())]
    while left:
        node = left.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            left += node.orelse
        elif in_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            left += ast.iter_child_nodes(node)
    return found


def wanted(step):
    """The top-level modules that a step's modules import ever, and those behind them at once."""
    package = f"components.{step}"
    left = [name for name in MODULES if f"{name}.".startswith(f"{package}.")]
    seen, found = set(), set()
    while left:
        name = left.pop()
        if name in seen or name not in MODULES:
            found.add(name.partition(".")[0])
            continue
        seen.add(name)
        is_own = f"{name}.".startswith(f"{package}.")
        left += imports_of(name, in_functions=is_own) | {name.rpartition(".")[0] or name}
    return found - UNCHECKED.get(step, set())


@pytest.mark.parametrize(("step", "image"), IMAGES.items())
def test_a_step_imports_nothing_that_its_image_lacks(step, image):
    allowed, owners = distributions_of(image), top_level_modules()
    absent = {name for name in wanted(step) if name in owners and not owners[name] & allowed}
    assert absent == set()


@pytest.mark.parametrize(
    ("step", "image"),
    [
        pytest.param(*each, marks=() if each[1] == "deploy" else pytest.mark.slow)
        for each in IMAGES.items()
    ],
)
def test_all_of_a_step_can_be_imported_where_other_packages_are_not(step, image):
    assert not_imported(f"components.{step}", distributions_of(image)) == {}


def test_a_package_that_is_missing_is_found():
    allowed = distributions_of("deploy") - {"regex"}
    assert not_imported("components.preflight", allowed)["components.preflight.servers"] == "regex"
    assert "regex" in wanted("preflight")
    assert "datasets" not in wanted("preflight")
