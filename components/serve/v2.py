"""The V2 (Open Inference) protocol over HTTP, JSON and binary.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from components.serve.answers import Refusal, json_answer, readiness
from components.serve.heads import size_in
from components.serve.operations import OF_WORK, Operation
from components.serve.predictor import Predictor
from components.serve.schemas import (
    InferRequest,
    InferResponse,
    InputTensor,
    Live,
    ModelMetadata,
    ModelStatus,
    Ready,
    ServerMetadata,
    read,
)
from components.serve.tensors import (
    Output,
    model_metadata,
    named_outputs,
    read_texts,
    require_shape,
)

HEADER_LENGTH = "Inference-Header-Content-Length"
_MODEL = "/v2/models/{model_name}"
_VERSION = _MODEL + "/versions/{model_version}"
SERVER: Mapping[str, Any] = {
    "name": "emotion-pipeline",
    "version": "2",
    "extensions": ["binary_tensor_data"],
}


def v2_operations(predictor: Predictor) -> list[Operation]:
    """Build the operations below `/v2`."""

    async def server(_: Request) -> Response:
        return json_answer(SERVER)

    async def live(_: Request) -> Response:
        return json_answer({"live": True})

    async def ready(_: Request) -> Response:
        return readiness(predictor.ready)

    get = partial(Operation, "GET")
    return [
        *_model_operations(predictor, _MODEL, "v2_model"),
        *_model_operations(predictor, _VERSION, "v2_version"),
        get("/v2", "v2_server", server, ServerMetadata),
        get("/v2/health/live", "v2_live", live, Live),
        get("/v2/health/ready", "v2_ready", ready, Ready, statuses=(503,)),
    ]


def _model_operations(predictor: Predictor, path: str, name: str) -> list[Operation]:
    """Build the operations below a model or a version of it."""

    def require(request: Request) -> None:
        asked = request.path_params
        predictor.require(asked["model_name"], asked.get("model_version", ""))

    async def model_ready(request: Request) -> Response:
        require(request)
        return readiness(predictor.ready, name=predictor.name)

    async def model(request: Request) -> Response:
        require(request)
        return json_answer(model_metadata(predictor))

    async def infer(request: Request) -> Response:
        require(request)
        body = await request.body()
        length = _json_length(request.headers.get(HEADER_LENGTH), len(body))
        asked = read(InferRequest, body[:length])
        texts = _texts(asked.inputs[0], body[length:])
        probabilities = await predictor.predict(texts)
        outputs = named_outputs(predictor, probabilities, asked.parameters.top_k)
        return _answer(predictor, asked, outputs)

    post, get = partial(Operation, "POST", statuses=OF_WORK), partial(Operation, "GET")
    return [
        post(f"{path}/infer", f"{name}_infer", infer, InferResponse, InferRequest),
        get(f"{path}/ready", f"{name}_ready", model_ready, ModelStatus, statuses=(404, 503)),
        get(path, name, model, ModelMetadata, statuses=(404,)),
    ]


def _json_length(header: str | None, size: int) -> int:
    if header is None:
        return size
    length = size_in(header)
    if length is None or length > size:
        raise Refusal.malformed(f"{HEADER_LENGTH} must be a number of bytes within the body")
    return length


def _texts(tensor: InputTensor, binary: bytes) -> list[str]:
    size = tensor.parameters.binary_data_size
    if size is None:
        if tensor.data is None:
            raise Refusal.malformed("inputs.0 has neither data nor binary_data_size")
        if binary:
            raise Refusal.malformed("there are binary data, but inputs.0 has no binary_data_size")
        texts = tensor.data
    elif tensor.data is not None:
        raise Refusal.malformed("inputs.0 has both data and binary_data_size")
    elif size != len(binary):
        message = f"inputs.0 has binary_data_size {size}, but {len(binary)} bytes follow the JSON"
        raise Refusal.malformed(message)
    else:
        texts = read_texts(binary)
    require_shape(tensor.shape, texts)
    return texts


def _answer(predictor: Predictor, asked: InferRequest, outputs: Sequence[Output]) -> Response:
    tensors, binary = _tensors(asked, {each.name: each for each in outputs})
    head = {
        "id": str(uuid4()) if asked.id is None else asked.id,
        "model_name": predictor.name,
        "model_version": predictor.version,
        # A parameter of V2 is a scalar, so one string holds the names of the columns.
        "parameters": {"labels": ",".join(predictor.labels)},
        "outputs": tensors,
    }
    answer = json_answer(head)
    if not binary:
        return answer
    text = bytes(answer.body)
    headers = {HEADER_LENGTH: str(len(text))}
    return Response(text + binary, media_type="application/octet-stream", headers=headers)


def _tensors(
    asked: InferRequest, outputs: Mapping[str, Output]
) -> tuple[list[dict[str, Any]], bytes]:
    """Build the requested outputs as JSON, and the data of the binary ones."""
    by_default = asked.parameters.binary_data_output
    wanted: dict[str, bool] = dict.fromkeys(outputs, by_default)
    if asked.outputs:
        binary_data = {each.name: each.parameters.binary_data for each in asked.outputs}
        wanted = {name: by_default if own is None else own for name, own in binary_data.items()}
    tensors: list[dict[str, Any]] = []
    binary = b""
    for name, as_binary in wanted.items():
        output = outputs[name]
        tensor = {"name": name, "datatype": output.datatype, "shape": output.shape}
        if as_binary:
            content = output.to_bytes()
            binary += content
            tensors.append({**tensor, "parameters": {"binary_data_size": len(content)}})
        else:
            tensors.append({**tensor, "data": output.values.ravel().tolist()})
    return tensors, binary
