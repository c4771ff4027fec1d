"""What the bodies of requests have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Closed(BaseModel):
    """A body with no other names: a misspelt one is an error, and not ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _optional_may_be_null(schema: dict[str, Any]) -> None:
    for name in set(schema["properties"]) - set(schema.get("required", ())):
        schema["properties"][name] = {"anyOf": [schema["properties"][name], {"type": "null"}]}


class Open(BaseModel):
    """A body of V2, whose clients add names, and write null for what they do not set."""

    model_config = ConfigDict(strict=True, json_schema_extra=_optional_may_be_null)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: each for name, each in value.items() if each is not None}
