"""Training settings as command-line arguments and files, and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import yaml

from components import storage
from components.errors import InputError
from components.options import with_options
from components.train.settings import TrainSettings


def changed_settings(settings: TrainSettings) -> dict[str, Any]:
    """The settings that differ from their defaults, by name."""
    defaults = asdict(TrainSettings())
    return {name: value for name, value in asdict(settings).items() if value != defaults[name]}


def to_arguments(values: Mapping[str, Any]) -> list[str]:
    """Arguments of `python -m components.train` that give settings these values."""
    return [f"--set={name}={json.dumps(value)}" for name, value in values.items()]


def read_settings(uri: str, overrides: Sequence[str] = ()) -> TrainSettings:
    """Settings from a file and from overrides, the latter counting more.

    Args:
        uri: Path or URI of a YAML or JSON file of `TrainSettings` fields; empty for none.
        overrides: `name=value`, the value in JSON or as a bare word.

    Raises:
        InputError: If the file cannot be read, a name is unknown, a value has the wrong type, or
            the settings refuse it.
    """
    values = _file_values(uri) if uri else {}
    return with_options(TrainSettings, {**values, **dict(map(_override, overrides))})


def _file_values(uri: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(storage.read_text(uri))
    except yaml.YAMLError as error:
        raise InputError(f"settings file {uri}", "is not YAML", str(error)) from error
    if not isinstance(values, dict):
        rule = "must hold names and values of settings"
        raise InputError(f"settings file {uri}", rule, "Write `name: value`, one a line")
    return {str(name): value for name, value in values.items()}


def _override(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text!r}", "must read name=value", "Add the =")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
