"""Answers sent whole: uvicorn writes the head and the body of each apart.

Each write would be a system call and a packet, and wake a client that has nothing to read yet.
"""

import asyncio
from typing import Any


class CoalescingTransport:
    """A transport that sends at once what is written within one turn of the event loop.

    Args:
        transport: Sends it, and does all else that a transport does.
        loop: The event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send bytes at the end of the turn."""
        if not self._written:
            self._loop.call_soon(self._flush)
        self._written.append(data)

    def close(self) -> None:
        """Close it once everything is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.write(b"".join(written))
