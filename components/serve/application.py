"""The HTTP application: all routes, the page for people, and the OpenAPI document."""

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from components.serve.answers import Refusal, internal_error, json_answer, refused
from components.serve.predictor import Predictor
from components.serve.schemas import ExplainRequest, InferRequest, PredictRequest
from components.serve.v1 import v1_routes
from components.serve.v2 import v2_routes

_ELEMENT = re.compile(r"<(style|script)\b[^>]*>(.*?)</\1>", re.DOTALL)


def application(predictor: Predictor) -> FastAPI:
    """Build the application, to be run within `components.serve.bounds.Bounds`."""
    app = FastAPI(
        title="emotion-pipeline", version="2", docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.include_router(v1_routes(predictor))
    app.include_router(v2_routes(predictor))

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(predictor.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    alive = json_answer({"status": "alive"})
    page = page_response() if predictor.settings.page else alive

    @app.get("/", include_in_schema=False)
    async def front(request: Request) -> Response:
        # Browsers ask for HTML; KServe's V1 clients ask here if the server is alive.
        answer = page if "text/html" in request.headers.get("accept", "") else alive
        answer.headers["Vary"] = "Accept"
        return answer

    async def refuse(_: Request, error: Any) -> Response:
        return refused(error, predictor.metrics)

    app.add_exception_handler(Refusal, refuse)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _internal_error)
    # Whoever asks first would have everybody wait while it is built.
    document = _openapi(app, predictor)
    app.openapi = lambda: document  # type: ignore[method-assign]
    return app


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


def _openapi(app: FastAPI, predictor: Predictor) -> dict[str, Any]:
    """Build OpenAPI with the bodies that the routes read themselves and this model's bounds."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    template = "#/components/schemas/{model}"
    requests: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (each, "validation") for each in (PredictRequest, ExplainRequest, InferRequest)
    ]
    _, bodies = models_json_schema(requests, ref_template=template)
    schemas = document["components"]["schemas"]
    schemas |= bodies["$defs"]
    settings = predictor.settings
    _instances(schemas, "PredictRequest")["maxItems"] = settings.max_texts
    _instances(schemas, "ExplainRequest")["maxItems"] = settings.max_explained_texts
    known = {"model_name": predictor.name, "model_version": predictor.version}
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"]["enum"] = [known[parameter["name"]]]
    return document


def _instances(schemas: Mapping[str, Any], name: str) -> dict[str, Any]:
    instances: dict[str, Any] = schemas[name]["properties"]["instances"]
    return instances


def _policy(html: str) -> str:
    hashes = {tag: f"'sha256-{_digest(content)}'" for tag, content in _ELEMENT.findall(html)}
    return (
        f"default-src 'none'; style-src {hashes['style']}; script-src {hashes['script']}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def _digest(content: str) -> str:
    return b64encode(sha256(content.encode()).digest()).decode()
