"""Bounds of connections that uvicorn lacks: time and size of the headers, and their number.

Source of the callbacks: https://github.com/MagicStack/httptools
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from components.serve.predictor import Predictor

_PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's HTTP connection, closed when it breaks a bound."""

    def __init__(self, predictor: Predictor, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._settings, self._metrics = predictor.settings, predictor.metrics
        self._deadline: asyncio.TimerHandle | None = None
        self._header_bytes = 0
        self._header_begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse a connection too many; expect headers in time from the others."""
        super().connection_made(transport)
        if len(self.connections) > self._settings.max_connections:
            self._refuse(503, "max_connections", "too many connections are open")
        else:
            self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Count the bytes of incomplete headers."""
        waiting = self._header_begun
        super().data_received(data)
        # Bytes that came with the end of an earlier request are not counted: a read is bounded.
        if waiting and self._header_begun:
            self._header_bytes += len(data)
            if self._header_bytes > self._settings.max_header_bytes:
                self._refuse(431, "max_header_bytes", "the headers are too large")

    def on_message_begin(self) -> None:
        """Start to count and time the headers."""
        super().on_message_begin()
        self._header_bytes, self._header_begun = 0, True
        self._expect_headers()

    def on_headers_complete(self) -> None:
        """Stop to time the headers; `Bounds` times the body."""
        self._header_begun = False
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP in JSON, like every other error."""
        self._write(400, f'{{"error": "{msg}"}}')

    def _expect_headers(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(self._settings.header_seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._refuse(408, "header_seconds", "the headers took too long")

    def _refuse(self, status: int, bound: str, message: str) -> None:
        if not self.transport.is_closing():
            self._metrics.refused(bound)
            self._write(status, f'{{"error": "{message} ({bound})"}}')

    def _write(self, status: int, body: str) -> None:
        head = f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: application/json\r\n"
        head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(f"{head}{body}".encode())
        self.transport.close()
