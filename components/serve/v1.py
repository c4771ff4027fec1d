"""KServe's V1 protocol over HTTP, with an explain route."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from components.serve.answers import json_answer, readiness
from components.serve.operations import OF_WORK, Operation, TemplateRoute
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

_MODELS = "/v1/models"
_MODEL = _MODELS + "/{model_name}"


def v1_operations(predictor: Predictor) -> list[Operation]:
    """Build the operations below `/v1`."""

    async def models(_: Request) -> Response:
        return json_answer({"models": [predictor.name]})

    async def predict(request: Request) -> Response:
        predictor.require(request.path_params["model_name"])
        asked = read(PredictRequest, await request.body())
        probabilities = await predictor.predict(asked.texts())
        bodies = [_body(predictor, asked, row) for row in probabilities]
        return _answer(predictor, "predictions", bodies)

    async def explain(request: Request) -> Response:
        predictor.require(request.path_params["model_name"])
        asked = read(ExplainRequest, await request.body())
        bodies = []
        for each in await predictor.explain(asked.texts()):
            words = [{"word": word.word, "weight": word.weight} for word in each.words]
            bodies.append({**_body(predictor, asked, each.probabilities), "words": words})
        return _answer(predictor, "explanations", bodies)

    async def status(request: Request) -> Response:
        predictor.require(request.path_params["model_name"])
        return readiness(predictor.ready, name=predictor.name)

    post, get = partial(Operation, "POST", statuses=OF_WORK), partial(Operation, "GET")
    return [
        post(f"{_MODEL}:predict", "v1_predict", predict, PredictResponse, PredictRequest),
        post(f"{_MODEL}:explain", "v1_explain", explain, ExplainResponse, ExplainRequest),
        get(_MODELS, "v1_models", models, ModelList),
        get(_MODEL, "v1_model", status, ModelStatus, statuses=(404, 503)),
    ]


def v1_post_only() -> list[Route]:
    """Build the routes of all other methods, of which the verb were a part of the model's name."""
    return [TemplateRoute(f"{_MODEL}:{verb}", _post_only) for verb in ("predict", "explain")]


async def _post_only(_: Request) -> Response:
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
