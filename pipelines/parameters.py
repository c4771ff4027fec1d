"""Parameter sets: YAML files and overrides, checked before anything runs."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from components.deploy.settings import DeploySettings
from components.errors import InputError
from components.options import of_type, require_known
from components.preflight.plan import choices
from pipelines.emotion import emotion

_SIGNATURE = inspect.signature(emotion.pipeline_func).parameters

DEFAULTS: Mapping[str, Any] = {name: each.default for name, each in _SIGNATURE.items()}
"""Value of every pipeline parameter that is not set."""


def read_parameters(
    path: Path | None,
    overrides: Sequence[str] = (),
    cluster: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Read a parameter set, and refuse it now if a step would refuse it later.

    Args:
        path: YAML file of parameter names and values; None takes the pipeline's defaults.
        overrides: `name=value` or `merge_options.name=value`, the value in YAML; they win.
        cluster: Values that belong to the cluster; they replace those of the set.

    Returns:
        A value for every parameter of the pipeline.

    Raises:
        InputError: If a name is unknown, a value has the wrong type, or a step's settings
            refuse it; it names the parameter.
    """
    values = dict(DEFAULTS)
    items = _file_items(path) if path else []
    for name, value in [*items, *cluster.items(), *map(_override, overrides)]:
        group, _, option = name.partition(".")
        require_known(group, DEFAULTS, "parameter")
        if option:
            values[group] = {**values[group], option: value}
        else:
            values[name] = of_type(name, value, _SIGNATURE[name].annotation)
    # The image belongs to the compiled pipeline, and is no option of a run.
    for choice in choices({**values, "image": DeploySettings.image}):
        choice.look()
    return values


def _file_items(path: Path) -> list[tuple[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"parameter file {path}", "cannot be read", str(error)) from error
    if not isinstance(content, dict):
        rule = "must hold parameter names and values"
        raise InputError(f"parameter file {path}", rule, "Write `name: value`, one a line")
    return [(str(name), value) for name, value in content.items()]


def _override(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"override {text!r}", "must read name=value", "Add the =")
    return name, yaml.safe_load(value)
