"""Gate files: what is demanded of a model before it is released."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from components import storage
from components.errors import InputError, require_between, require_one_of
from components.options import of_type, require_known

NOT_SIGNIFICANTLY_WORSE = "not_significantly_worse"

_SHIPPED = resources.files("components.evaluate.gate") / "gates"


@dataclass(frozen=True)
class Gate:
    """What is demanded of a model; None demands nothing.

    Scores are those of the served model on the test split.

    Args:
        min_accuracy: Lowest accuracy, 0 to 1.
        min_macro_f1: Lowest macro-F1, 0 to 1.
        min_label_recall: Lowest recall of any label, 0 to 1.
        max_calibration_error: Highest expected calibration error, 0 to 1.
        max_quantisation_loss: Accuracy that int8 may lose to full precision, 0 to 1.
        above_majority: Whether macro-F1 must beat always answering the most frequent label.
        champion: `not_significantly_worse` than the model in service.
        significance_level: p-value below which a model counts as worse than the champion, by
            the paired bootstrap of macro-F1 or by McNemar's test of accuracy, 0 to 1.

    Raises:
        InputError: If a value is out of range.
    """

    min_accuracy: float | None = None
    min_macro_f1: float | None = None
    min_label_recall: float | None = None
    max_calibration_error: float | None = None
    max_quantisation_loss: float | None = None
    above_majority: bool = False
    champion: str | None = None
    significance_level: float = 0.05

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, float):
                require_between(name, value, 0, 1)
        if self.champion is not None:
            require_one_of("champion", self.champion, [NOT_SIGNIFICANTLY_WORSE])


def load_gate(reference: str) -> Gate:
    """Read a gate by shipped name, or from a YAML file.

    Args:
        reference: The name of a shipped gate (`release`), or a path or URI of a gate file.

    Raises:
        InputError: If there is no such gate, or a key or value of it is wrong.
    """
    shipped = {Path(each.name).stem: each for each in _SHIPPED.iterdir()}
    if reference in shipped:
        text = shipped[reference].read_text(encoding="utf-8")
    elif re.fullmatch(r"[\w-]*", reference) and not Path(reference).is_file():
        names = ", ".join(sorted(shipped))
        raise InputError(f"gate {reference!r}", "is not known", f"Use {names} or a path or URI")
    else:
        text = storage.read_text(reference)
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"gate file {reference}", "is not valid YAML", str(error)) from error
    if not isinstance(content, dict):
        rule = "must hold rules as `key: value`"
        raise InputError(f"gate file {reference}", rule, "Write one a line, or {} for none")
    return _gate(content, f"gate {reference}")


def _gate(content: Mapping[Any, Any], where: str) -> Gate:
    names = [field.name for field in fields(Gate)]
    kinds = {"above_majority": bool, "champion": str}
    for name in content:
        require_known(str(name), names, f"{where}, key")
    return Gate(
        **{key: of_type(key, value, kinds.get(key, float)) for key, value in content.items()}
    )
