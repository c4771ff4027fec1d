"""Training settings as command-line arguments."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from components.train.settings import TrainSettings


def changed_settings(settings: TrainSettings) -> dict[str, Any]:
    """The settings that differ from their defaults, by name."""
    defaults = asdict(TrainSettings())
    return {name: value for name, value in asdict(settings).items() if value != defaults[name]}


def to_arguments(values: Mapping[str, Any]) -> list[str]:
    """Arguments of `python -m components.train` that give settings these values.

    Words, numbers and lists of them keep their meaning when a shell splits them once more, as
    Katib has it done.
    """
    return [f"--set={_assignment(name, value)}" for name, value in values.items()]


def _assignment(name: str, value: Any) -> str:
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return shlex.quote(f"{name}={content}")
