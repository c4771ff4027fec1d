"""Style files: how an LLM is asked for texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any

import yaml

from components import storage
from components.errors import InputError, require_between

_CHARACTERS_PER_TOKEN = 2.5


@dataclass(frozen=True)
class Style:
    """A style file: templates, the attributes texts may have, and bounds.

    Raises:
        InputError: If an attribute has no values, or a bound is out of range.
    """

    system: str
    example: str
    request: str
    attributes: Mapping[str, Sequence[str]]
    texts_per_request: int
    temperature: float
    min_characters: int
    max_characters: int

    def __post_init__(self) -> None:
        require_between("texts_per_request", self.texts_per_request, 1, 50)
        require_between("temperature", self.temperature, 0, 2)
        require_between("min_characters", self.min_characters, 1, self.max_characters)
        for name, values in self.attributes.items():
            if not values or not all(isinstance(value, str) for value in values):
                raise InputError(f"attribute {name}", "must be a list of texts", "Mend the style")

    @property
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of an answer: a list of texts of bounded length."""
        bounds = {"minLength": self.min_characters, "maxLength": self.max_characters}
        count = self.texts_per_request
        text = {"type": "string", **bounds}
        return {"type": "array", "items": text, "minItems": count, "maxItems": count}

    @property
    def max_tokens(self) -> int:
        """Where an answer is cut off: more than the longest answer the schema allows."""
        return int(self.texts_per_request * self.max_characters / _CHARACTERS_PER_TOKEN)


def load_style(reference: str) -> Style:
    """Read a style by shipped name, or from a YAML file.

    Raises:
        InputError: If there is no such style or the file breaks a rule.
    """
    shipped = resources.files("components.generate") / "styles" / f"{reference}.yaml"
    text = shipped.read_text(encoding="utf-8") if shipped.is_file() else ""
    try:
        content = yaml.safe_load(text or storage.read_text(reference))
    except yaml.YAMLError as error:
        raise InputError(f"style {reference}", "is not valid YAML", str(error)) from error
    names = {each.name for each in fields(Style)}
    if not isinstance(content, dict) or set(content) != names:
        rule = f"must have exactly the keys {', '.join(sorted(names))}"
        raise InputError(f"style {reference}", rule, "Start from a shipped style")
    return Style(**content)
