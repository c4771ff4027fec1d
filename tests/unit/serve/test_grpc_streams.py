"""Streams over gRPC, which may stay open for ever."""

import asyncio
from contextlib import AsyncExitStack
from types import SimpleNamespace

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from components.processes import free_port
from components.serve.grpc_messages import MOST_STREAMS
from components.serve.grpc_service import running_grpc
from components.serve.settings import ServeSettings

REQUEST = health_pb2.HealthCheckRequest()
SERVING = health_pb2.HealthCheckResponse.SERVING


async def filled(settings):
    """What a stream too many ends with, what a call is answered, and a stream for a place left."""
    predictor = SimpleNamespace(settings=settings)
    reports = SimpleNamespace(report=lambda *_: None)
    async with AsyncExitStack() as running:
        await running.enter_async_context(running_grpc(predictor, reports))
        channel = grpc.aio.insecure_channel(settings.address(settings.grpc_port))
        stub = health_pb2_grpc.HealthStub(await running.enter_async_context(channel))
        watched = [stub.Watch(REQUEST) for _ in range(MOST_STREAMS)]
        first = [(await each.read()).status for each in watched]
        code = await stub.Watch(REQUEST).code()
        checked = (await stub.Check(REQUEST, timeout=20)).status
        watched[0].cancel()
        await asyncio.sleep(0.3)
        again = (await stub.Watch(REQUEST).read()).status
    return first, code, checked, again


def test_streams_take_no_place_of_a_call_and_leave_their_own_when_they_end(tmp_path):
    settings = ServeSettings(tmp_path, max_requests=1, grpc_port=free_port(), shutdown_seconds=1)
    first, code, checked, again = asyncio.run(filled(settings))
    assert first == [SERVING] * MOST_STREAMS
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (checked, again) == (SERVING, SERVING)
