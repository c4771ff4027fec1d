"""Takes the texts out of a V1 or V2 request, or refuses it by the rule that it breaks."""

from collections.abc import Sequence

from kserve import InferInput, InferRequest
from kserve.errors import InvalidInput

MAX_TEXTS = 256
MAX_CHARACTERS = 10_000
INPUT = "text"


def v1_texts(body: object) -> list[str]:
    """The texts of a V1 body: `{"instances": ["a text", {"text": "another"}]}`.

    Args:
        body: The decoded JSON.

    Raises:
        InvalidInput: If the body breaks a rule; kserve answers it with HTTP 400.

    Source: https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
    """
    instances = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(instances, list):
        raise InvalidInput('the body must be JSON: {"instances": [texts]}')
    texts = [each.get("text") if isinstance(each, dict) else each for each in instances]
    return _checked(texts, "instances")


def v2_texts(request: InferRequest) -> list[str]:
    """The texts of a V2 request: one input `text` of datatype BYTES and shape [n].

    Raises:
        InvalidInput: If the request breaks a rule; kserve answers it with HTTP 400.

    Source: https://github.com/kserve/open-inference-protocol
    """
    if [each.name for each in request.inputs] != [INPUT]:
        raise InvalidInput(f"the request must have one input, named `{INPUT}`")
    tensor = request.inputs[0]
    if tensor.datatype != "BYTES":
        raise InvalidInput(f"input `{INPUT}` must have datatype BYTES, not {tensor.datatype}")
    return _checked(_elements(tensor), INPUT)


def _elements(tensor: InferInput) -> list[object]:
    # as_string() of kserve 0.21 fails on every tensor; as_numpy() yields str over HTTP and
    # bytes over gRPC.
    try:
        values = tensor.as_numpy()
    except ValueError as error:
        raise InvalidInput(f"input `{INPUT}` has data that do not fit its shape") from error
    if values.ndim != 1 or list(values.shape) != list(tensor.shape):
        raise InvalidInput(f"input `{INPUT}` must have shape [n], not {list(tensor.shape)}")
    return list(values)


def _checked(values: Sequence[object], where: str) -> list[str]:
    if not 1 <= len(values) <= MAX_TEXTS:
        raise InvalidInput(f"`{where}` must hold 1 to {MAX_TEXTS} texts, not {len(values)}")
    return [_text(value, f"`{where}[{place}]`") for place, value in enumerate(values)]


def _text(value: object, where: str) -> str:
    try:
        text = value.decode() if isinstance(value, bytes) else value
        if not isinstance(text, str):
            raise InvalidInput(f"{where} must be a text")
        text.encode()
    except UnicodeError as error:
        raise InvalidInput(f"{where} must be valid Unicode") from error
    if not text.strip():
        raise InvalidInput(f"{where} must not be empty")
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(f"{where} must have at most {MAX_CHARACTERS} characters")
    return text
