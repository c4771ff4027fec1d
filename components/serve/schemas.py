"""Bodies of requests and answers, as the predictor reads, writes and publishes them.

Sources: https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol and
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from codecs import BOM_UTF8
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    Discriminator,
    Field,
    Tag,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from components.serve.answers import Refusal
from components.serve.bodies import Closed, Open
from components.serve.parameters import (
    InferParameters,
    InputParameters,
    OutputParameters,
    TopK,
)

_Model = TypeVar("_Model", bound=BaseModel)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be empty")
    return text


Text = Annotated[
    str,
    AfterValidator(_not_blank),
    Field(json_schema_extra={"pattern": r"\S"}, examples=["I can not believe it!"]),
]
Threshold = Annotated[
    float, Field(ge=0, le=1, description="Lowest probability of the labels to return.")
]


class TextObject(Closed):
    """A text as an object."""

    text: Text


Instance = Annotated[
    Annotated[Text, Tag("text")] | Annotated[TextObject, Tag("object")],
    Discriminator(lambda value: "object" if isinstance(value, dict | TextObject) else "text"),
]


class PredictRequest(Closed):
    """V1: texts to classify."""

    instances: Annotated[list[Instance], Field(min_length=1, fail_fast=True)]
    top_k: TopK | None = None
    threshold: Threshold | None = None

    def texts(self) -> list[str]:
        """List the texts, in either form."""
        return [each if isinstance(each, str) else each.text for each in self.instances]


class ExplainRequest(PredictRequest):
    """V1: texts to explain; fewer than to classify."""


class PredictionBody(BaseModel):
    """The most probable label of a text, and the probabilities by label."""

    label: str
    probabilities: dict[str, float]


class PredictResponse(BaseModel):
    """V1: a prediction per text, in their order."""

    predictions: list[PredictionBody]
    model_version: str


class WordBody(BaseModel):
    """A word and the log-odds that the label loses without it."""

    word: str
    weight: float


class ExplanationBody(PredictionBody):
    """A prediction and the weight of each word for its label."""

    words: list[WordBody]


class ExplainResponse(BaseModel):
    """V1: an explanation per text, in their order."""

    explanations: list[ExplanationBody]
    model_version: str


class ModelList(BaseModel):
    """V1: the models."""

    models: list[str]


class ModelStatus(BaseModel):
    """V1 and V2: the readiness of the model."""

    name: str
    ready: bool


class Live(BaseModel):
    """V2: the liveness of the process."""

    live: Literal[True]


class Ready(BaseModel):
    """V2: the readiness of the server."""

    ready: bool


class ServerMetadata(BaseModel):
    """V2: the server."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(BaseModel):
    """V2: name, datatype and shape of a tensor; -1 stands for any size."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """V2: the model."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class InputTensor(Open):
    """V2: the texts; without `data` they follow the JSON in binary form."""

    name: Literal["text"]
    datatype: Literal["BYTES"]
    shape: list[Annotated[int, Field(ge=1)]]
    parameters: InputParameters = InputParameters()
    data: Annotated[list[Text], Field(fail_fast=True)] | None = None


class RequestedOutput(Open):
    """V2: a requested output."""

    name: Literal["label", "probabilities"]
    parameters: OutputParameters = OutputParameters()


class InferFrame(Open):
    """V2: what a request has beside its texts, over HTTP and gRPC alike."""

    id: Annotated[str, Field(max_length=256)] | None = None
    parameters: InferParameters = InferParameters()
    outputs: Annotated[list[RequestedOutput], Field(default_factory=list, max_length=2)]


class InferRequest(InferFrame):
    """V2: texts to classify."""

    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=1)]


class OutputTensor(BaseModel):
    """V2: labels or probabilities; without `data` they follow the JSON in binary form."""

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, int] | None = None
    data: list[str] | list[float] | None = None


class InferResponse(BaseModel):
    """V2: the outputs. `parameters.labels` names the columns of `probabilities`."""

    id: str
    model_name: str
    model_version: str
    parameters: dict[str, str]
    outputs: list[OutputTensor]


def read(model: type[_Model], body: bytes | dict[str, Any]) -> _Model:
    """Read a request body, as JSON or parsed.

    Raises:
        Refusal: If it is not JSON or not of this form; names the first place and its rule.
    """
    try:
        if isinstance(body, bytes):
            # Editors of Windows begin files with it (RFC 8259, section 8.1).
            return model.model_validate_json(body.removeprefix(BOM_UTF8))
        return model.model_validate(body)
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "body"
        raise Refusal.malformed(f"{place}: {first['msg']}") from None
