"""Requests over gRPC that find no place."""

import asyncio
from types import SimpleNamespace

import grpc

from components.serve import open_inference_pb2 as pb
from components.serve.grpc_service import GrpcService


class _EndedError(Exception):
    """What ends a call."""


class Context:
    def invocation_metadata(self):
        return ()

    async def abort(self, code, message):
        raise _EndedError(code, message)


def request():
    asked = pb.ModelInferRequest(model_name="emotion")
    tensor = asked.inputs.add(name="text", datatype="BYTES", shape=[1])
    tensor.contents.bytes_contents.append(b"a fine day")
    return asked


async def second_of_two(max_requests):
    """What the second of two requests at a time ends with, and the bounds that were counted."""
    refused, never = [], asyncio.Event()
    predictor = SimpleNamespace(
        settings=SimpleNamespace(max_requests=max_requests, request_seconds=0.2),
        metrics=SimpleNamespace(refused=refused.append),
        require=lambda *_: None,
        predict=lambda _: never.wait(),
    )
    service = GrpcService(predictor, SimpleNamespace(report=lambda *_: None))
    calls = [service.ModelInfer(request(), Context()) for _ in range(2)]
    _, ended = await asyncio.gather(*calls, return_exceptions=True)
    return ended.args, refused


def test_a_request_too_many_is_refused_and_counted_as_over_http():
    (code, message), refused = asyncio.run(second_of_two(max_requests=1))
    assert (code, refused) == (grpc.StatusCode.UNAVAILABLE, ["max_requests"])
    assert message == "1 requests are in progress (max_requests)"


def test_a_request_within_the_bound_has_its_place():
    (code, _), refused = asyncio.run(second_of_two(max_requests=2))
    assert (code, refused) == (grpc.StatusCode.DEADLINE_EXCEEDED, [])
