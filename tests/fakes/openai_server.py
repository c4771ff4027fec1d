"""A real HTTP server that speaks the OpenAI chat protocol and answers by script."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.fakes.http_server import running


@dataclass(frozen=True)
class Reply:
    """What the server says to one request.

    It is a chat message, an error if the status is not 200, or a plain web page. `change` alters
    the body of the answer before it is sent, for servers that keep to the protocol only nearly.
    """

    text: str
    status: int = 200
    seconds: float = 0.0
    finish_reason: str = "stop"
    is_page: bool = False
    change: Callable[[dict[str, Any]], Any] | None = None


@dataclass
class FakeServer:
    """The server's script, and what it saw."""

    script: Callable[[dict[str, Any]], Reply]
    api_key: str = ""
    models: tuple[str, ...] = ()
    base_url: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)
    finished: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    open: int = 0
    most_open: int = 0

    async def list_models(self, request: Request) -> Response:
        if not self._is_allowed(request):
            return _error(401, "wrong key")
        if not self.models:
            return _error(404, "not found")
        models = [{"id": each, "object": "model", "created": 0} for each in self.models]
        return JSONResponse({"object": "list", "data": models})

    def _is_allowed(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.api_key}" or not self.api_key

    async def chat(self, request: Request) -> Response:
        body = await request.json()
        self.received.append(body)
        self.keys.append(request.headers.get("authorization", ""))
        if not self._is_allowed(request):
            return _error(401, "wrong key")
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            reply = self.script(body)
            await asyncio.sleep(reply.seconds)
        finally:
            self.open -= 1
        self.finished.append(body)
        if reply.status != 200:
            return _error(reply.status, reply.text)
        if reply.is_page:
            return HTMLResponse(reply.text)
        completion = _completion(body["model"], reply)
        if reply.change:
            completion = reply.change(completion) or completion
        return JSONResponse(completion)


@contextmanager
def fake_openai(
    script: Callable[[dict[str, Any]], Reply], api_key: str = "", models: tuple[str, ...] = ()
) -> Iterator[FakeServer]:
    """Run a server in a thread; `script` maps the body of a request to the reply.

    It lists `models`; without any it does not tell which it has, as some servers do not.
    """
    fake = FakeServer(script, api_key, models)
    chat = Route("/v1/chat/completions", fake.chat, methods=["POST"])
    with running([chat, Route("/v1/models", fake.list_models)]) as url:
        fake.base_url = f"{url}/v1"
        yield fake


def _completion(model: str, reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [choice],
        "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
    }


def _error(status: int, message: str) -> Response:
    # The header spares the tests the client's default wait of half a second and more.
    content = {"error": {"message": message, "type": "error", "code": None, "param": None}}
    return JSONResponse(content, status, headers={"retry-after-ms": "10"})
