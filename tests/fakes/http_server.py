"""A real HTTP server of a few routes, in a thread."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@contextmanager
def running(routes: Sequence[Route]) -> Iterator[str]:
    """Run a server; yields its base URL."""
    config = uvicorn.Config(Starlette(routes=routes), log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def answering(status: int, body: str, kind: str = "application/xml") -> Iterator[str]:
    """Run a service that answers everything in one way, HEAD without a body; yields its URL."""

    def answer(request: Request) -> Response:
        content = "" if request.method == "HEAD" else body
        return Response(content, status, media_type=kind)

    methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]
    with running([Route("/{path:path}", answer, methods=methods)]) as url:
        yield url
