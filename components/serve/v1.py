"""KServe's V1 protocol over HTTP, with an explain route."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from numpy.typing import NDArray
from starlette.exceptions import HTTPException

from components.serve.answers import documented, json_answer, readiness
from components.serve.predictor import Predictor
from components.serve.schemas import (
    ExplainRequest,
    ExplainResponse,
    ModelList,
    ModelStatus,
    PredictRequest,
    PredictResponse,
    read,
)


def v1_routes(predictor: Predictor) -> APIRouter:
    """Build the routes below `/v1`."""
    router = APIRouter(prefix="/v1/models", tags=["V1"])

    @router.get("", response_model=ModelList)
    async def models() -> Response:
        return json_answer({"models": [predictor.name]})

    @router.post("/{model_name}:predict", **documented(PredictResponse, PredictRequest))
    async def predict(model_name: str, request: Request) -> Response:
        predictor.require(model_name)
        asked = read(PredictRequest, await request.body())
        probabilities = await predictor.predict(asked.texts())
        bodies = [_body(predictor, asked, row) for row in probabilities]
        return _answer(predictor, "predictions", bodies)

    @router.post("/{model_name}:explain", **documented(ExplainResponse, ExplainRequest))
    async def explain(model_name: str, request: Request) -> Response:
        predictor.require(model_name)
        asked = read(ExplainRequest, await request.body())
        bodies = []
        for each in await predictor.explain(asked.texts()):
            words = [{"word": word.word, "weight": word.weight} for word in each.words]
            bodies.append({**_body(predictor, asked, each.probabilities), "words": words})
        return _answer(predictor, "explanations", bodies)

    for verb in ("predict", "explain"):
        # Otherwise it would be a part of the model's name below.
        router.add_api_route(f"/{{model_name}}:{verb}", _post_only, include_in_schema=False)

    @router.get("/{model_name}", **documented(ModelStatus, statuses=(404, 503)))
    async def status(model_name: str) -> Response:
        predictor.require(model_name)
        return readiness(predictor.ready, name=predictor.name)

    return router


async def _post_only() -> None:
    raise HTTPException(405, headers={"Allow": "POST"})


def _answer(predictor: Predictor, name: str, bodies: Sequence[dict[str, Any]]) -> Response:
    return json_answer({name: bodies, "model_version": predictor.version})


def _body(predictor: Predictor, asked: PredictRequest, row: NDArray[np.float32]) -> dict[str, Any]:
    shares = dict(zip(predictor.labels, row.tolist(), strict=True))
    winner = predictor.labels[int(row.argmax())]
    if asked.top_k is not None:
        shares = dict(sorted(shares.items(), key=lambda each: -each[1])[: asked.top_k])
    if asked.threshold is not None:
        shares = {name: share for name, share in shares.items() if share >= asked.threshold}
    return {"label": winner, "probabilities": shares}
