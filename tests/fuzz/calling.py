"""Calls over gRPC with bytes as messages."""

import grpc

from tests.fuzz.messages import Call


async def make_call(address: str, asked: Call) -> str:
    """Make a call; returns the name of its code.

    Raises:
        AssertionError: If it ends in another code than it may.
    """
    # Channels to one address share their connections.
    async with grpc.aio.insecure_channel(address) as channel:
        try:
            if asked.is_stream:
                async for _ in channel.stream_stream(asked.method)(iter([asked.content])):
                    pass
            else:
                await channel.unary_unary(asked.method)(asked.content, metadata=asked.metadata)
        except grpc.aio.AioRpcError as error:
            code, details = error.code(), error.details()
        else:
            code, details = grpc.StatusCode.OK, ""
    assert code in asked.codes, f"{code.name}: {details}"
    return code.name
