"""Calls over gRPC whose message is not of its type, and streams that find no place: refused.

grpc itself ends the first with UNKNOWN and a traceback in the log, and has streams, which may stay
open for ever, take the places of other calls.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import grpc
from google.protobuf.message import DecodeError

MOST_STREAMS = 32
"""Most streams, of health and reflection, that are open at a time."""

Place = Callable[[Any], AbstractAsyncContextManager[None]]

_RULE = "the message is not one of this call, in protobuf's form"


class MessageCheck(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Ends calls with a message that cannot be read, and streams beyond `MOST_STREAMS`."""

    def __init__(self) -> None:
        self._open_streams = 0

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Find what handles a call, and check its messages first."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        kinds = ("unary_unary", "unary_stream", "stream_stream")
        kind = next(each for each in kinds if getattr(handler, each))
        check = _each_checked if handler.request_streaming else _checked
        place = self._place if handler.response_streaming else _always
        return getattr(grpc, f"{kind}_rpc_method_handler")(
            check(getattr(handler, kind), place),
            request_deserializer=_or_none(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )

    @asynccontextmanager
    async def _place(self, context: Any) -> AsyncIterator[None]:
        if self._open_streams >= MOST_STREAMS:
            rule = f"{MOST_STREAMS} streams are open"
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, rule)
        self._open_streams += 1
        try:
            yield
        finally:
            self._open_streams -= 1


@asynccontextmanager
async def _always(_: Any) -> AsyncIterator[None]:
    yield


def _or_none(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read_or_none(content: bytes) -> Any:
        try:
            return read(content)
        except DecodeError:
            return None

    return read_or_none


def _checked(
    answer: Callable[[Any, Any], Awaitable[Any]], place: Place
) -> Callable[[Any, Any], Awaitable[Any]]:
    async def checked(request: Any, context: Any) -> Any:
        if request is None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, _RULE)
        async with place(context):
            return await answer(request, context)

    return checked


def _each_checked(
    answers: Callable[[Any, Any], AsyncIterator[Any]], place: Place
) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def requests(given: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        async for request in given:
            if request is None:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, _RULE)
            yield request

    async def checked(given: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        async with place(context):
            async for answer in answers(requests(given, context), context):
                yield answer

    return checked
