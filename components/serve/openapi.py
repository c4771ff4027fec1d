"""The OpenAPI document of the predictor's operations.

Source: https://spec.openapis.org/oas/v3.1.1.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from components.serve.answers import Error
from components.serve.operations import Operation
from components.serve.predictor import Predictor

_PARAMETER = re.compile(r"{(\w+)}")
_SCHEMAS = "#/components/schemas/"
_ABOUT = {
    200: "The answer.",
    400: "The request breaks a rule.",
    404: "There is no such model.",
    408: "The request took too long to arrive.",
    413: "The body is too large.",
    415: "The body is compressed, or an event with its attributes.",
    503: "The predictor is overloaded or about to end.",
}


def openapi(operations: Sequence[Operation], predictor: Predictor) -> dict[str, Any]:
    """Build the document, with this model's name, version and bounds."""
    known = {"model_name": predictor.name, "model_version": predictor.version}
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _described(each, known)
    schemas = _schemas(operations)
    settings = predictor.settings
    _instances(schemas, "PredictRequest")["maxItems"] = settings.max_texts
    _instances(schemas, "ExplainRequest")["maxItems"] = settings.max_explained_texts
    return {
        "openapi": "3.1.0",
        "info": {"title": "emotion-pipeline", "version": "2"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _described(operation: Operation, known: Mapping[str, str]) -> dict[str, Any]:
    errors: dict[int, type[BaseModel]] = dict.fromkeys(operation.statuses, Error)
    bodies = {200: operation.answer, **errors}
    responses = {
        str(status): {"description": _ABOUT[status], **_json(body)}
        for status, body in bodies.items()
    }
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "enum": [known[name]]},
        }
        for name in _PARAMETER.findall(operation.path)
    ]
    described: dict[str, Any] = {
        "operationId": operation.name,
        "parameters": parameters,
        "responses": responses,
    }
    if operation.request:
        described["requestBody"] = {"required": True, **_json(operation.request)}
    return described


def _json(body: type[BaseModel]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": _SCHEMAS + body.__name__}}}}


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    answers: set[type[BaseModel]] = {Error, *(each.answer for each in operations)}
    requests = {each.request for each in operations if each.request}
    models: list[tuple[type[BaseModel], Literal["serialization", "validation"]]] = [
        *((each, "serialization") for each in answers),
        *((each, "validation") for each in requests),
    ]
    models.sort(key=lambda each: each[0].__name__)
    _, found = models_json_schema(models, ref_template=_SCHEMAS + "{model}")
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _instances(schemas: Mapping[str, Any], name: str) -> dict[str, Any]:
    instances: dict[str, Any] = schemas[name]["properties"]["instances"]
    return instances
