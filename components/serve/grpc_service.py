"""The V2 (Open Inference) protocol over gRPC.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_grpc.md
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from components.errors import InputError
from components.serve import open_inference_pb2 as pb
from components.serve import open_inference_pb2_grpc as service
from components.serve.answers import Refusal
from components.serve.exchanges import Exchange, Message, Reports, exchange_id
from components.serve.grpc_messages import MOST_STREAMS, MessageCheck
from components.serve.predictor import Predictor
from components.serve.schemas import InferFrame, read
from components.serve.tensors import (
    Output,
    decoded,
    model_metadata,
    named_outputs,
    read_texts,
    require_shape,
)
from components.serve.v2 import SERVER

_log = logging.getLogger(__name__)
Drain = Callable[[], Awaitable[None]]

_SERVICE = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name
_CHOICE = "parameter_choice"
_INFER = "grpc:ModelInfer"
_PROTOBUF = "application/protobuf"
_TEXT = "text/plain; charset=utf-8"
_CODES = {404: grpc.StatusCode.NOT_FOUND, 503: grpc.StatusCode.UNAVAILABLE}


class GrpcService(service.GRPCInferenceServiceServicer):
    """The V2 calls."""

    def __init__(self, predictor: Predictor, reports: Reports) -> None:
        self._predictor, self._reports = predictor, reports
        self._in_progress = 0

    async def ServerLive(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Report that the process is alive."""
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Report if requests are accepted."""
        return pb.ServerReadyResponse(ready=self._predictor.ready)

    async def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Report if requests for a model are accepted."""
        await self._require(request, context)
        return pb.ModelReadyResponse(ready=self._predictor.ready)

    async def ServerMetadata(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Describe the server."""
        return pb.ServerMetadataResponse(**SERVER)

    async def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Describe the inputs and outputs of a model."""
        await self._require(request, context)
        return pb.ModelMetadataResponse(**model_metadata(self._predictor))

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Classify texts."""
        start = time.monotonic()
        code = grpc.StatusCode.CANCELLED
        answer: pb.ModelInferResponse | str | None = None
        self._in_progress += 1
        try:
            answer = await self._infer(request)
            code = grpc.StatusCode.OK
        except _AbortedError as aborted:
            code, answer = aborted.code, str(aborted)
            await context.abort(code, answer)
        finally:
            self._in_progress -= 1
            ended = partial(_exchange, request, context, answer)
            self._reports.report(_INFER, code.name, time.monotonic() - start, ended)
        return answer

    def _require_place(self) -> None:
        most = self._predictor.settings.max_requests
        if self._in_progress > most:
            message = f"{most} requests are in progress (max_requests)"
            raise Refusal.overload("max_requests", message)

    async def _require(self, request: Any, context: Any) -> None:
        try:
            self._predictor.require(request.name, request.version)
        except Refusal as refusal:
            await context.abort(grpc.StatusCode.NOT_FOUND, refusal.message)

    async def _infer(self, request: pb.ModelInferRequest) -> pb.ModelInferResponse:
        try:
            async with asyncio.timeout(self._predictor.settings.request_seconds):
                return await self._answer(request)
        except Refusal as refusal:
            if refusal.bound:
                self._predictor.metrics.refused(refusal.bound)
            code = _CODES.get(refusal.status, grpc.StatusCode.INVALID_ARGUMENT)
            raise _AbortedError(code, refusal.message) from None
        except TimeoutError:
            message = "the answer took too long (request_seconds)"
            raise _AbortedError(grpc.StatusCode.DEADLINE_EXCEEDED, message) from None
        except Exception:  # noqa: BLE001
            _log.exception("request failed")
            raise _AbortedError(grpc.StatusCode.INTERNAL, "internal error") from None

    async def _answer(self, request: pb.ModelInferRequest) -> pb.ModelInferResponse:
        self._require_place()
        self._predictor.require(request.model_name, request.model_version)
        asked = _frame(request)
        top_k = asked.parameters.top_k
        probabilities = await self._predictor.predict(_texts(request))
        outputs = {each.name: each for each in named_outputs(self._predictor, probabilities, top_k)}
        # Each comes once, so that an answer's size does not grow with its request.
        wanted = dict.fromkeys([each.name for each in asked.outputs] or outputs)
        answer = pb.ModelInferResponse(
            id=request.id, model_name=self._predictor.name, model_version=self._predictor.version
        )
        answer.parameters["labels"].string_param = ",".join(self._predictor.labels)
        for name in wanted:
            _add(answer, outputs[name], raw=bool(request.raw_input_contents))
        return answer


def _exchange(request: pb.ModelInferRequest, context: Any, answer: Any) -> Exchange:
    headers = {name: str(value) for name, value in context.invocation_metadata() or ()}
    asked = Message(request.SerializeToString(), _PROTOBUF)
    if isinstance(answer, pb.ModelInferResponse):
        return Exchange(exchange_id(headers), asked, Message(answer.SerializeToString(), _PROTOBUF))
    return Exchange(exchange_id(headers), asked, Message((answer or "").encode(), _TEXT))


class _AbortedError(Exception):
    """A call that ends without an answer."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@asynccontextmanager
async def running_grpc(predictor: Predictor, reports: Reports) -> AsyncIterator[Drain]:
    """Listen for gRPC for the duration of a block, then finish the requests in progress.

    Beside V2's service there are grpc.health.v1 and reflection. Yields what ends the health.

    Raises:
        InputError: If the address cannot be listened on.
    """
    settings = predictor.settings
    server = grpc.aio.server(
        interceptors=[MessageCheck()],
        options=[
            ("grpc.max_receive_message_length", settings.max_body_bytes),
            ("grpc.max_metadata_size", settings.max_header_bytes),
            ("grpc.max_connection_idle_ms", settings.idle_seconds * 1000),
            ("grpc.so_reuseport", 0),
        ],
        # Probes get through while requests are refused one by one.
        maximum_concurrent_rpcs=2 * settings.max_requests + MOST_STREAMS,
    )
    service.add_GRPCInferenceServiceServicer_to_server(GrpcService(predictor, reports), server)
    healthy = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    for name in (health.OVERALL_HEALTH, _SERVICE):
        await healthy.set(name, health_pb2.HealthCheckResponse.SERVING)
    names = (_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    address = settings.address(settings.grpc_port)
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        rule = "cannot be listened on"
        raise InputError(f"address {address}", rule, "Choose another host or port") from error
    await server.start()
    yield healthy.enter_graceful_shutdown
    await server.stop(settings.shutdown_seconds)


def _texts(request: pb.ModelInferRequest) -> list[str]:
    if [(each.name, each.datatype) for each in request.inputs] != [("text", "BYTES")]:
        raise Refusal.malformed("a request must have one input, `text`, of datatype BYTES")
    tensor = request.inputs[0]
    if raw := request.raw_input_contents:
        if len(raw) != 1 or tensor.HasField("contents"):
            raise Refusal.malformed("input `text` must come once, in contents or raw")
        texts = read_texts(raw[0])
    else:
        contents = tensor.contents.bytes_contents
        texts = [decoded(each, place) for place, each in enumerate(contents)]
    require_shape(tensor.shape, texts)
    return texts


def _frame(request: pb.ModelInferRequest) -> InferFrame:
    kinds = {name: each.WhichOneof(_CHOICE) for name, each in request.parameters.items()}
    values = {name: getattr(request.parameters[name], kind) for name, kind in kinds.items() if kind}
    outputs = [{"name": each.name} for each in request.outputs]
    return read(InferFrame, {"id": request.id, "parameters": values, "outputs": outputs})


def _add(answer: pb.ModelInferResponse, output: Output, raw: bool) -> None:
    tensor = answer.outputs.add(name=output.name, datatype=output.datatype, shape=output.shape)
    if raw:
        answer.raw_output_contents.append(output.to_bytes())
    elif output.datatype == "BYTES":
        tensor.contents.bytes_contents.extend(text.encode() for text in output.values.ravel())
    else:
        tensor.contents.fp32_contents.extend(output.values.ravel().tolist())
