"""Parameter sets: YAML files and overrides, checked before anything runs."""

import difflib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_origin

import yaml

from components.checks import InputError
from components.deploy.settings import DeploySettings
from components.evaluate.settings import EvaluateSettings
from components.generate.settings import GenerateSettings
from components.merge.settings import MergeSettings
from components.task import load_task
from components.train.settings import TrainSettings
from pipelines.emotion import emotion

_SETTINGS = (GenerateSettings, MergeSettings, TrainSettings, EvaluateSettings, DeploySettings)
_SIGNATURE = inspect.signature(emotion.pipeline_func).parameters

DEFAULTS: Mapping[str, Any] = {name: each.default for name, each in _SIGNATURE.items()}
"""Value of every pipeline parameter that is not set."""


def read_parameters(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a parameter set, and refuse it now if a step would refuse it later.

    Args:
        path: YAML file of parameter names and values.
        overrides: `name=value`, the value in YAML.

    Returns:
        A value for every parameter of the pipeline.

    Raises:
        InputError: If a name is unknown, a value has the wrong type, or a step's settings
            refuse it; it names the parameter.
    """
    values = dict(DEFAULTS)
    for name, value in [*_file_items(path), *map(_override, overrides)]:
        values[name] = _checked(name, value)
    load_task(values["task"])
    for settings in _SETTINGS:
        names = {field.name for field in fields(settings)} & set(values)
        _try(settings, {name: values[name] for name in names}, values)
    return values


def _try(settings: type, chosen: dict[str, Any], values: Mapping[str, Any]) -> None:
    if settings is GenerateSettings:
        for model in values["models"] or [""]:
            settings(model=model, **chosen)
    else:
        settings(**chosen)


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


def _checked(name: str, value: Any) -> Any:
    if name not in _SIGNATURE:
        near = difflib.get_close_matches(name, _SIGNATURE, n=3)
        fix = f"Did you mean {' or '.join(near)}" if near else f"Use one of {', '.join(DEFAULTS)}"
        raise InputError(f"parameter {name!r}", "is not known", fix)
    wanted = _SIGNATURE[name].annotation
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is str and value is None:
        return ""
    if type(value) is not (get_origin(wanted) or wanted):
        kind = (get_origin(wanted) or wanted).__name__
        rule = f"must be {kind}, not {type(value).__name__}"
        raise InputError(f"parameter {name}={value!r}", rule, "Change its value")
    return value
