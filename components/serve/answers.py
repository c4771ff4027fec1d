"""HTTP answers, and the publication of their bodies in OpenAPI."""

from typing import Any

import orjson
from fastapi import Response
from pydantic import BaseModel

from components.serve.metrics import Metrics
from components.serve.predictor import Predictor
from components.serve.refusal import Refusal
from components.serve.schemas import Error

_ABOUT = {
    400: "The request breaks a rule.",
    404: "There is no such model.",
    408: "The request took too long to arrive.",
    413: "The body is too large.",
    415: "The body is compressed.",
    503: "The predictor is overloaded or about to end.",
}


def json_answer(body: object, status: int = 200) -> Response:
    """Build an answer in JSON."""
    return Response(orjson.dumps(body), status, media_type="application/json")


def refused(refusal: Refusal, metrics: Metrics) -> Response:
    """Build the answer to a refused request, and count it."""
    if refusal.bound:
        metrics.refused(refusal.bound)
    answer = json_answer({"error": refusal.message}, refusal.status)
    if refusal.retry_after:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


def model_status(predictor: Predictor, model_name: str) -> Response:
    """Build the answer that tells if a model accepts requests, the same in both protocols.

    Raises:
        Refusal: If there is no model of this name.
    """
    predictor.require(model_name)
    body = {"name": predictor.name, "ready": predictor.ready}
    return json_answer(body, 200 if predictor.ready else 503)


def internal_error() -> Response:
    """Build the answer after an internal error, whose cause only the log tells."""
    return json_answer({"error": "internal error"}, 500)


def documented(
    answer: type[BaseModel],
    request: type[BaseModel] | None = None,
    statuses: tuple[int, ...] = tuple(_ABOUT),
) -> dict[str, Any]:
    """Build the keywords of a route that reads and writes its bodies itself.

    Args:
        answer: Body of the answer 200.
        request: Body of the request; None if it has none.
        statuses: Other statuses of the route.
    """
    responses: dict[int, dict[str, Any]] = {200: {"model": answer}}
    for each in statuses:
        responses[each] = {"model": Error, "description": _ABOUT[each]}
    keywords: dict[str, Any] = {"response_model": None, "responses": responses}
    if request is not None:
        schema = {"$ref": f"#/components/schemas/{request.__name__}"}
        content = {"application/json": {"schema": schema}}
        keywords["openapi_extra"] = {"requestBody": {"required": True, "content": content}}
    return keywords
