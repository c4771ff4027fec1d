"""Bounds of a request, around the whole application: head, size, time, number; and its report."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, MutableMapping
from functools import cached_property
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from components.serve.answers import Refusal, internal_error, refused
from components.serve.cloud_events import event_headers, is_event, require_no_envelope
from components.serve.exchanges import Exchange, Message, Reports, exchange_id
from components.serve.heads import require_host, require_known_codings, require_small_head, size_in
from components.serve.predictor import Predictor
from components.serve.v2 import HEADER_LENGTH

_log = logging.getLogger(__name__)
_JSON = "application/json"
_BINARY = "application/octet-stream"


class Bounds:
    """An ASGI application that passes on only requests within the settings' bounds.

    The whole body is read here, so that neither its size nor its time depends on the
    application. Every error becomes an answer.

    Args:
        app: The application.
        predictor: Its settings, state and metrics.
        reports: Reports every exchange.
    """

    def __init__(self, app: ASGIApp, predictor: Predictor, reports: Reports) -> None:
        self._app, self._predictor, self._reports = app, predictor, reports
        self._settings = predictor.settings
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see https://asgi.readthedocs.io."""
        start = time.monotonic()
        # HEAD is GET without the body, and uvicorn leaves that out.
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        exchange = _Exchange(scope, send, self._predictor, keep=self._reports.collected)
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
            route, seconds = getattr(scope.get("route"), "path", "none"), time.monotonic() - start
            self._reports.report(route, exchange.status, seconds, exchange.ended)

    async def _answer(
        self, scope: Scope, receive: Receive, exchange: "_Exchange", carries_work: bool
    ) -> None:
        try:
            self._require_head(scope)
            if carries_work:
                self._require_place()
            exchange.request = await self._body(exchange.headers, receive)
            exchange.is_read = True
            await self._app(scope, _replay(exchange.request), exchange.send)
        except Refusal as refusal:
            await exchange.answer(scope, refused(refusal, self._predictor.metrics))
        except _DisconnectedError:
            return
        except Exception:  # noqa: BLE001
            _log.exception("request failed")
            if exchange.status == 0:
                await exchange.answer(scope, internal_error())

    def _require_head(self, scope: Scope) -> None:
        headers = scope["headers"]
        target = scope["raw_path"] + scope["query_string"]
        require_small_head(target, headers, self._settings.max_header_bytes)
        require_host(scope["http_version"], headers)
        require_known_codings(headers)

    def _require_place(self) -> None:
        most = self._settings.max_requests
        if self._in_progress > most:
            raise Refusal.overload(
                "max_requests", f"{most} requests are in progress (max_requests)"
            )

    async def _body(self, headers: Mapping[str, str], receive: Receive) -> bytes:
        codings = headers.get("content-encoding", "").lower().split(",")
        if {each.strip() for each in codings} - {"", "identity"}:
            raise Refusal(415, "the body must not be compressed (Content-Encoding)")
        require_no_envelope(headers)
        length = size_in(headers.get("content-length", "0"))
        if length is None:
            raise Refusal.malformed("Content-Length must be a number of at most 20 digits")
        if length > self._settings.max_body_bytes:
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


class _DisconnectedError(Exception):
    """The client disconnected while it was sending."""


class _Exchange:
    """A request and its answer; the status is 0 until the answer has begun.

    `keep` keeps the body of the answer.
    """

    def __init__(self, scope: Scope, send: Send, predictor: Predictor, keep: bool) -> None:
        self._scope, self._send, self._predictor, self._keep = scope, send, predictor, keep
        self.headers = _by_name(scope["headers"])
        self.request = b""
        self.is_read = False
        self.status = 0
        self._response = bytearray()
        self._response_headers: Iterable[tuple[bytes, bytes]] = ()

    @cached_property
    def id(self) -> str:
        return exchange_id(self.headers)

    async def answer(self, scope: Scope, response: Response) -> None:
        await response(scope, _replay(b""), self.send)

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            # What is left of an unread body would be neither bounded nor timed.
            if self._predictor.draining or not self.is_read:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            if self._scope["method"] == "POST" and is_event(self.headers):
                event = event_headers(self.id, self._predictor.name)
                message["headers"] = [*message["headers"], *event]
            self._response_headers = message["headers"]
        elif self._keep:
            self._response += message.get("body", b"")
        await self._send(message)

    def ended(self) -> Exchange:
        request = _message(self.request, self.headers)
        response = _message(bytes(self._response), _by_name(self._response_headers))
        return Exchange(self.id, request, response)


def _by_name(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Values by name; those of one name are a list (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _message(body: bytes, headers: Mapping[str, str]) -> Message:
    json_length = headers.get(HEADER_LENGTH.lower(), "")
    content_type = headers.get("content-type", _JSON)
    # Of the client's headers an event can carry those in ASCII alone.
    if not json_length.isascii():
        json_length = ""
    if not content_type.isascii() or (json_length and content_type.startswith(_JSON)):
        content_type = _BINARY
    return Message(body, content_type, json_length)


def _replay(body: bytes) -> Receive:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
