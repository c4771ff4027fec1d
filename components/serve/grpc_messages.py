"""Calls over gRPC whose message is not of its type: refused, and not taken for the server's fault.

grpc itself ends such a call with UNKNOWN and a traceback in the log.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

_RULE = "the message is not one of this call, in protobuf's form"


class MessageCheck(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Ends calls with a message that cannot be read with INVALID_ARGUMENT."""

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
        return getattr(grpc, f"{kind}_rpc_method_handler")(
            check(getattr(handler, kind)),
            request_deserializer=_or_none(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )


def _or_none(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read_or_none(content: bytes) -> Any:
        try:
            return read(content)
        except DecodeError:
            return None

    return read_or_none


def _checked(answer: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def checked(request: Any, context: Any) -> Any:
        if request is None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, _RULE)
        return await answer(request, context)

    return checked


def _each_checked(
    answers: Callable[[Any, Any], AsyncIterator[Any]],
) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def requests(given: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        async for request in given:
            if request is None:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, _RULE)
            yield request

    async def checked(given: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        async for answer in answers(requests(given, context), context):
            yield answer

    return checked
