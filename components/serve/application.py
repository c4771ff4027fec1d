"""The HTTP application: all routes and their OpenAPI document."""

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from components.serve.answers import internal_error, json_answer, refused
from components.serve.page import page_response
from components.serve.predictor import Predictor
from components.serve.refusal import Refusal
from components.serve.schemas import ExplainRequest, InferRequest, PredictRequest
from components.serve.v1 import v1_routes
from components.serve.v2 import v2_routes


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

    front = page_response() if predictor.settings.page else json_answer({"status": "alive"})

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return front

    async def refuse(_: Request, error: Any) -> Response:
        return refused(error, predictor.metrics)

    app.add_exception_handler(Refusal, refuse)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _internal_error)
    app.openapi = lambda: _openapi(app, predictor)  # type: ignore[method-assign]
    return app


async def _http_error(_: Request, error: Any) -> Response:
    """Answer a request to an unknown path, or with a method that the path lacks."""
    answer = json_answer({"error": error.detail}, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _internal_error(_: Request, __: Exception) -> Response:
    return internal_error()


def _openapi(app: FastAPI, predictor: Predictor) -> dict[str, Any]:
    """Build OpenAPI with the bodies that the routes read themselves and this model's bounds."""
    if app.openapi_schema is None:
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
        for operations in document["paths"].values():
            for operation in operations.values():
                for parameter in operation.get("parameters", ()):
                    parameter["schema"]["enum"] = [predictor.name]
        app.openapi_schema = document
    return app.openapi_schema


def _instances(schemas: Mapping[str, Any], name: str) -> dict[str, Any]:
    instances: dict[str, Any] = schemas[name]["properties"]["instances"]
    return instances
