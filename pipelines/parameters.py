"""Parameter sets: YAML files and overrides, checked before anything runs."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from components.checks import InputError
from components.deploy.settings import DeploySettings
from components.evaluate.gate import load_gate
from components.evaluate.settings import EvaluateSettings
from components.generate.settings import GenerateSettings
from components.merge.settings import MergeSettings
from components.options import Settings, of_type, require_known, with_options
from components.task import load_task
from components.train.settings import TrainSettings
from pipelines.emotion import emotion

_OPTIONS: Mapping[type, str] = {
    GenerateSettings: "generate_options",
    MergeSettings: "merge_options",
    TrainSettings: "train_options",
    EvaluateSettings: "evaluate_options",
    DeploySettings: "deploy_options",
}
"""The parameter that holds those settings of a step which are no parameters themselves."""

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
    _try_all(values)
    return values


def settings_of(kind: type[Settings], values: Mapping[str, Any], **more: Any) -> Settings:
    """The settings of a step from the values of all parameters.

    Args:
        kind: The step's settings dataclass.
        values: A value for every parameter of the pipeline.
        more: Fields that are no parameters.
    """
    names = {field.name for field in fields(kind)} & set(values)  # type: ignore[arg-type]
    options = values.get(_OPTIONS.get(kind, ""), {})
    return with_options(kind, options, **{name: values[name] for name in names}, **more)


def _try_all(values: Mapping[str, Any]) -> None:
    """Make the settings of every step, so that what they refuse is refused now."""
    load_task(values["task"])
    load_gate(values["gate"])
    for model in values["models"] or [""]:
        settings_of(GenerateSettings, values, model=model)
    for kind in (MergeSettings, TrainSettings, EvaluateSettings):
        settings_of(kind, values)
    settings_of(DeploySettings, values, image=DeploySettings.image)


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
