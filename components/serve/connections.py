"""Bounds of connections that uvicorn lacks: time and size of the headers, and their number.

Source of the callbacks: https://github.com/MagicStack/httptools
"""

import asyncio
from http import HTTPStatus
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from components.serve.answers import Refusal
from components.serve.heads import head_too_large, require_known_codings
from components.serve.predictor import Predictor
from components.serve.upgrades import Head, UpgradeIgnoringParser
from components.serve.writes import CoalescingTransport

_FRAMING = 8
"""Times a body of chunks of one byte each is as large as the body itself, at most."""


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's HTTP connection, closed when it breaks a bound; it is never upgraded."""

    def __init__(self, predictor: Predictor, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.parser = UpgradeIgnoringParser(self, self._head)  # type: ignore[assignment]
        self._settings, self._metrics = predictor.settings, predictor.metrics
        self._deadline: asyncio.TimerHandle | None = None
        self._header_bytes = 0
        self._header_begun = False
        self._request_bytes = 0
        self._refusal: Refusal | None = None
        self._most_bytes = (
            _FRAMING * self._settings.max_body_bytes + self._settings.max_header_bytes
        )

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse a connection too many; expect headers in time from the others."""
        super().connection_made(CoalescingTransport(transport, self.loop))  # type: ignore[arg-type]
        if len(self.connections) > self._settings.max_connections:
            self._refuse(503, "max_connections", "too many connections are open")
        else:
            self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Count the bytes of incomplete headers; `Bounds` counts those of complete ones.

        It does not see what parts a body into chunks, and trails it.
        """
        if self._refusal:
            return
        waiting = self._header_begun
        super().data_received(data)
        self._request_bytes += len(data)
        if self._reads_body and self._request_bytes > self._most_bytes:
            self._refuse(413, "max_body_bytes", "the body and its chunks are too large")
        # Bytes that came with the end of an earlier request are not counted: a read is bounded.
        if waiting and self._header_begun:
            self._header_bytes += len(data)
            if self._header_bytes > self._settings.max_header_bytes:
                self._close_with(head_too_large())

    def on_message_begin(self) -> None:
        """Start to count and time the headers."""
        super().on_message_begin()
        self._header_bytes, self._header_begun, self._request_bytes = 0, True, 0
        self._expect_headers()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what trails a body in chunks is none (RFC 9110, section 6.5.1)."""
        if self._header_begun:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop to time the headers; `Bounds` times the body."""
        if self.parser.should_upgrade():
            return
        self._header_begun = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request, unless its head is about to be read again."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Refuse what came behind the requests that are now all answered."""
        if self._refusal and not self.pipeline:
            self._write(self._refusal)
        super().on_response_complete()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer what a client has asked for in whole that sends no more (RFC 9112, section 9.6).

        Returns:
            True to keep the connection until then.
        """
        self._stop_waiting()
        if self._reads_body:
            self._close_with(Refusal.malformed("the connection ended within the body"))
        elif self.cycle is None or self.cycle.response_complete:
            return False
        elif not self._refusal:
            # The newest is answered last, and closes the connection.
            self.cycle.keep_alive = False
        return not self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP in JSON, like every other error."""
        try:
            # httptools takes a body whose last coding is not `chunked` for an error of syntax.
            require_known_codings(self.headers or ())
        except Refusal as refusal:
            self._close_with(refusal)
        else:
            self._close_with(Refusal.malformed(msg))

    def _head(self) -> Head:
        return self.parser.get_method(), self.url, self.headers

    def _expect_headers(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(self._settings.header_seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if self.flow.read_paused:
            # It is the answers to earlier requests that take their time.
            self._expect_headers()
            return
        self._refuse(408, "header_seconds", "the headers took too long")

    def _refuse(self, status: int, bound: str, message: str) -> None:
        self._close_with(Refusal(status, f"{message} ({bound})", bound))

    def _close_with(self, refusal: Refusal) -> None:
        """Refuse the request that is being read, after the answers to those before it."""
        if self.transport.is_closing() or self._refusal:
            return
        if refusal.bound:
            self._metrics.refused(refusal.bound)
        self._refusal = refusal
        if self._reads_body and self.pipeline:
            # It waits for its turn, as the last one.
            self.pipeline.popleft()
        elif self._reads_body or self.cycle is None or self.cycle.response_complete:
            self._write(refusal)

    @property
    def _reads_body(self) -> bool:
        return self.cycle is not None and self.cycle.more_body and not self._header_begun

    def _write(self, refusal: Refusal) -> None:
        if self.transport.is_closing():
            return
        body = orjson.dumps({"error": refusal.message})
        head = f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(f"{head}connection: close\r\n\r\n".encode() + body)
        self.transport.close()
