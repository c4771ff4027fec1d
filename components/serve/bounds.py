"""Bounds of a request, around the whole application: size, time, number; and its log."""

import asyncio
import logging
import time
from collections.abc import Callable, MutableMapping
from typing import Any
from uuid import uuid4

from fastapi import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from components.serve.answers import Refusal, internal_error, refused
from components.serve.predictor import Predictor

LogPayload = Callable[[str, bytes, bytes], None]

_log = logging.getLogger(__name__)
_UNREAD = {408, 413, 415}
"""After these the rest of the body is unread, so the connection is closed."""


class Bounds:
    """An ASGI application that passes on only requests within the settings' bounds.

    The whole body is read here, so that neither its size nor its time depends on the
    application. Every error becomes an answer.

    Args:
        app: The application.
        predictor: Its settings, state and metrics.
        log_payload: Called with an id, each request and its answer; None for no calls.
    """

    def __init__(
        self, app: ASGIApp, predictor: Predictor, log_payload: LogPayload | None = None
    ) -> None:
        self._app, self._predictor, self._log_payload = app, predictor, log_payload
        self._settings = predictor.settings
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see https://asgi.readthedocs.io."""
        start = time.monotonic()
        exchange = _Exchange(send, self._predictor.draining, keep=self._log_payload is not None)
        # Only requests that carry work are counted; probes and metrics always get through.
        carries_work = scope["method"] == "POST"
        self._in_progress += carries_work
        try:
            async with asyncio.timeout(self._settings.request_seconds):
                await self._answer(scope, receive, exchange, carries_work)
        except TimeoutError:
            if exchange.status:
                raise
            await exchange.answer(scope, refused(self._too_slow(), self._predictor.metrics))
        finally:
            self._in_progress -= carries_work
            route = getattr(scope.get("route"), "path", "none")
            self._record(route, exchange, time.monotonic() - start)

    async def _answer(
        self, scope: Scope, receive: Receive, exchange: "_Exchange", carries_work: bool
    ) -> None:
        try:
            if carries_work:
                self._require_place()
            exchange.request = await self._body(scope, receive)
            await self._app(scope, _replay(exchange.request), exchange.send)
        except Refusal as refusal:
            await exchange.answer(scope, refused(refusal, self._predictor.metrics))
        except _DisconnectedError:
            return
        except Exception:  # noqa: BLE001
            _log.exception("request failed")
            if exchange.status == 0:
                await exchange.answer(scope, internal_error())

    def _require_place(self) -> None:
        most = self._settings.max_requests
        if self._in_progress > most:
            raise Refusal.overload(
                "max_requests", f"{most} requests are in progress (max_requests)"
            )

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        headers = dict(scope["headers"])
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise Refusal(415, "the body must not be compressed (Content-Encoding)")
        # The HTTP parser accepts only digits.
        if int(headers.get(b"content-length", 0)) > self._settings.max_body_bytes:
            raise self._too_large()
        body = bytearray()
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _DisconnectedError
                    body += message["body"]
                    if len(body) > self._settings.max_body_bytes:
                        raise self._too_large()
                    if not message["more_body"]:
                        return bytes(body)
        except TimeoutError:
            rule = f"the body took longer than {self._settings.body_seconds:g} s (body_seconds)"
            raise Refusal(408, rule, "body_seconds") from None

    def _too_large(self) -> Refusal:
        most = self._settings.max_body_bytes
        return Refusal(
            413, f"a body may have at most {most} bytes (max_body_bytes)", "max_body_bytes"
        )

    def _too_slow(self) -> Refusal:
        seconds = self._settings.request_seconds
        message = f"the answer took longer than {seconds:g} s (request_seconds)"
        return Refusal.overload("request_seconds", message)

    def _record(self, route: str, exchange: "_Exchange", seconds: float) -> None:
        self._predictor.metrics.request(route, exchange.status, seconds)
        if self._settings.log_requests:
            facts: dict[str, Any] = {"route": route, "status": exchange.status}
            facts |= {"milliseconds": round(1000 * seconds, 1), "bytes": len(exchange.request)}
            if self._settings.log_texts:
                facts["body"] = exchange.request.decode(errors="replace")
            _log.info("request", extra={"facts": facts})
        if self._log_payload and exchange.request and exchange.status:
            self._log_payload(str(uuid4()), exchange.request, bytes(exchange.response))


class _DisconnectedError(Exception):
    """The client disconnected while it was sending."""


class _Exchange:
    """A request and its answer; the status is 0 until the answer has begun.

    `close` asks the client to close the connection; `keep` keeps the body of the answer.
    """

    def __init__(self, send: Send, close: bool, keep: bool) -> None:
        self._send, self._close, self._keep = send, close, keep
        self.request = b""
        self.status = 0
        self.response = bytearray()

    async def answer(self, scope: Scope, response: Response) -> None:
        await response(scope, _replay(b""), self.send)

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._close or self.status in _UNREAD:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
        elif self._keep:
            self.response += message.get("body", b"")
        await self._send(message)


def _replay(body: bytes) -> Receive:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
