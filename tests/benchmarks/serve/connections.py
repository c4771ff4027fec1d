"""Connections of the load generator: httptools on uvloop, with little Python around them.

aiohttp's client took a fifth of a core, of the two that the server is measured on.
"""

import asyncio
from typing import Self
from urllib.parse import urlsplit

import httptools

from tests.benchmarks.serve.figures import FAILED


class Connection(asyncio.Protocol):
    """One kept HTTP/1.1 connection, with one request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._status: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport

    @property
    def is_open(self) -> bool:
        """True if another request may follow."""
        return not self._transport.is_closing()

    async def send(self, request: bytes) -> int:
        """Send a whole request, and return the status of its answer once that is whole."""
        self._status = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._status

    def abort(self) -> None:
        """Close it, whatever is under way."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the way to send."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read a part of an answer."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.abort()

    def on_message_complete(self) -> None:
        """Hand over the status of an answer."""
        if not self._parser.should_keep_alive():
            self._transport.close()
        self._end(self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Fail the request under way."""
        self._end(FAILED)

    def _end(self, status: int) -> None:
        if self._status and not self._status.done():
            self._status.set_result(status)


class Connections:
    """A pool of connections to one URL.

    Args:
        url: URL that is asked; of HTTP.
        most: Most connections; a request beyond them waits.
    """

    def __init__(self, url: str, most: int) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname, address.port
        self._head = (
            f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._room = asyncio.Semaphore(most)
        self._idle: list[Connection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._idle:
            each.abort()

    async def post(self, body: bytes) -> int:
        """Send a body, and return the status of its answer; `FAILED` without one."""
        request = b"%s%d\r\n\r\n%s" % (self._head, len(body), body)
        async with self._room:
            try:
                connection = await self._connection()
            except OSError:
                return FAILED
            try:
                status = await connection.send(request)
            except asyncio.CancelledError:
                connection.abort()
                raise
            self._idle.append(connection)
            return status

    async def _connection(self) -> Connection:
        while self._idle:
            if (idle := self._idle.pop()).is_open:
                return idle
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self._host, self._port)
        return connection
