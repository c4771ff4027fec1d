"""Parameters of requests and their tensors; a named one has its type, and others are ignored."""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from components.serve.bodies import Open


def _integer(value: object) -> object:
    # In JSON Schema 2.0 is an integer.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _scalar(value: object) -> object:
    if isinstance(value, dict | list):
        raise PydanticCustomError("scalar", "must be a string, a number or a Boolean")
    return value


TopK = Annotated[
    int,
    Field(ge=1, description="Number of labels to return, the most probable first."),
    BeforeValidator(_integer),
]
Parameter = Annotated[str | bool | int | float | None, BeforeValidator(_scalar)]
Size = Annotated[int, BeforeValidator(_integer)]


class Parameters(Open):
    """V2: the parameters of a request or a tensor; others than those named are ignored."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Parameter] = Field(init=False)


class InputParameters(Parameters):
    """V2: the parameters of the texts."""

    binary_data_size: Size | None = None


class OutputParameters(Parameters):
    """V2: the parameters of a requested output."""

    binary_data: bool | None = None


class InferParameters(Parameters):
    """V2: the parameters of a request."""

    top_k: TopK | None = None
    binary_data_output: bool = False
