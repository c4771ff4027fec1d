"""The HTTP application: all routes, the page for people, and the OpenAPI document."""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from components.serve.answers import Refusal, internal_error, json_answer, refused
from components.serve.openapi import openapi
from components.serve.operations import Endpoint, TemplateRoute
from components.serve.predictor import Predictor
from components.serve.v1 import v1_operations, v1_post_only
from components.serve.v2 import v2_operations

_ELEMENT = re.compile(r"<(style|script)\b[^>]*>(.*?)</\1>", re.DOTALL)


def application(predictor: Predictor) -> Starlette:
    """Build the application, to be run within `components.serve.bounds.Bounds`."""
    operations = [*v1_operations(predictor), *v2_operations(predictor)]
    # Whoever asked first would have everybody wait while it is built.
    document = json_answer(openapi(operations, predictor))

    async def schema(_: Request) -> Response:
        return document

    async def metrics(_: Request) -> Response:
        return Response(predictor.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    async def refuse(_: Request, error: Any) -> Response:
        return refused(error, predictor.metrics)

    (server,) = (each for each in operations if each.path == "/v2")
    others = {"/": _front(predictor), "/v2/": server.endpoint, "/metrics": metrics}
    routes = [
        # Requests with texts first, since they are most.
        *(each.route() for each in operations if each.method == "POST"),
        *v1_post_only(),
        *(each.route() for each in operations if each.method == "GET"),
        *(TemplateRoute(path, endpoint, ["GET"]) for path, endpoint in others.items()),
        TemplateRoute("/openapi.json", schema, ["GET"]),
    ]
    handlers = {Refusal: refuse, HTTPException: _http_error, Exception: _internal_error}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


def _front(predictor: Predictor) -> Endpoint:
    alive = json_answer({"status": "alive"})
    page = page_response() if predictor.settings.page else alive

    async def front(request: Request) -> Response:
        # Browsers ask for HTML; KServe's V1 clients ask here if the server is alive.
        answer = page if "text/html" in request.headers.get("accept", "") else alive
        answer.headers["Vary"] = "Accept"
        return answer

    return front


def page_response() -> HTMLResponse:
    """Build the page, with headers that allow only its own style, script and server.

    A text that got into the page as markup would therefore have no effect.

    Source: https://www.w3.org/TR/CSP3/#match-element-to-source-list
    """
    html = files("components.serve").joinpath("page.html").read_text(encoding="utf-8")
    headers = {
        "Content-Security-Policy": _policy(html),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
    return HTMLResponse(html, headers=headers)


async def _http_error(_: Request, error: Any) -> Response:
    """Answer a request to an unknown path, or with a method that the path lacks."""
    answer = json_answer({"error": error.detail}, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _internal_error(_: Request, __: Exception) -> Response:
    return internal_error()


def _policy(html: str) -> str:
    hashes = {tag: f"'sha256-{_digest(content)}'" for tag, content in _ELEMENT.findall(html)}
    return (
        f"default-src 'none'; style-src {hashes['style']}; script-src {hashes['script']}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def _digest(content: str) -> str:
    return b64encode(sha256(content.encode()).digest()).decode()
