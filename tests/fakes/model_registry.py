"""The model registry of Kubeflow Hub, in memory.

Requests and answers go through the models of mr_openapi, which the registry's own Python client
has generated from its OpenAPI: as in the server, a field that they do not know is refused. It
cannot show that the server finds, keeps and refuses what is kept and refused here; the tests of
tests/unit/deploy/test_registration.py ask a real one too, with `--model-registry URL`.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import mr_openapi
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.http_server import running

_ROOT = "/api/model_registry"
_KINDS = {
    "registered_model": ("RegisteredModel", ""),
    "model_version": ("ModelVersion", "registeredModelId"),
    "model_artifact": ("ModelArtifact", ""),
    "serving_environment": ("ServingEnvironment", ""),
    "inference_service": ("InferenceService", "servingEnvironmentId"),
}
"""The model of each kind, and its field with the id of what it belongs to."""

Content = dict[str, Any]


@dataclass
class FakeModelRegistry:
    """What the registry knows, and how it answers."""

    token: str = ""
    """The token that it takes; empty takes all."""
    outage: int = 0
    """Status of all answers; 0 for the right ones."""
    api: str = "v1"
    """The version of the API that it has."""
    url: str = ""
    resources: dict[str, tuple[str, str, Content]] = field(default_factory=dict)
    """Kind, parent and content by id."""
    refused: list[str] = field(default_factory=list)
    """Why requests were refused as malformed."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and token of every request."""
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def kept(self, kind: str) -> list[Content]:
        """The resources of a kind."""
        return [content for each, _, content in self.resources.values() if each == kind]

    async def answer(self, request: Request) -> Response:
        header = request.headers.get("Authorization", "")
        api, *parts = request.url.path.removeprefix(f"{_ROOT}/").split("/")
        if api != self.api:
            return Response("404 page not found", 404)
        self.asked.append((request.method, "/".join(parts), header))
        if self.outage:
            return Response("Datastore service is down or unavailable.", self.outage)
        if self.token and header != f"Bearer {self.token}":
            return _error(401, "Unauthorized", "no token")
        return self._done(request, parts, await request.json() if request.method != "GET" else {})

    def _done(self, request: Request, parts: list[str], body: Content) -> Response:
        if request.method == "GET":
            return self._read(parts[0], request)
        if request.method == "PATCH":
            return self._update(parts[0], parts[1], body)
        if parts[2:] == ["artifacts"]:
            return self._create("model_artifact", parts[1], body)
        kind = parts[0].removesuffix("s")
        return self._create(kind, body.get(_KINDS[kind][1], ""), body)

    def _read(self, path: str, request: Request) -> Response:
        if path.removesuffix("s") in _KINDS and path.endswith("s"):
            items, size = self.kept(path.removesuffix("s")), int(request.query_params["pageSize"])
            page = {"items": items[:size], "nextPageToken": "", "pageSize": size}
            return JSONResponse({**page, "size": len(items[:size])})
        name = request.query_params["name"]
        parent = request.query_params.get("parentResourceId", "")
        for each in self._found(path, name, parent):
            return _valid(path, each)
        return _error(404, "Not Found", f"no {path} found for name={name}")

    def _create(self, kind: str, parent: str, body: Content) -> Response:
        if why := _fault(f"{_KINDS[kind][0]}Create", body):
            return self._malformed(why)
        if parent and parent not in self.resources:
            return _error(404, "Not Found", f"no parent {parent}")
        if self._found(kind, body["name"], parent):
            return _error(409, "Conflict", f"{kind} with name {body['name']} already exists")
        known = str(next(self._ids))
        self.resources[known] = (kind, parent, {**body, "id": known})
        return _valid(kind, self.resources[known][2], 201)

    def _update(self, path: str, known: str, body: Content) -> Response:
        kind = path.removesuffix("s")
        if why := _fault(f"{_KINDS[kind][0]}Update", body):
            return self._malformed(why)
        if known not in self.resources or self.resources[known][0] != kind:
            return _error(404, "Not Found", f"no {kind} found for id {known}")
        self.resources[known][2].update(body)
        return _valid(kind, self.resources[known][2])

    def _found(self, kind: str, name: str, parent: str) -> list[Content]:
        return [
            content
            for each, above, content in self.resources.values()
            if (each, above, content["name"]) == (kind, parent, name)
        ]

    def _malformed(self, why: str) -> Response:
        self.refused.append(why)
        return _error(400, "Bad Request", why)


@contextmanager
def model_registry(token: str = "") -> Iterator[FakeModelRegistry]:
    """Have a registry for the length of a block."""
    registry = FakeModelRegistry(token)
    methods = ["GET", "POST", "PATCH"]
    with running([Route(_ROOT + "/{path:path}", registry.answer, methods=methods)]) as registry.url:
        yield registry
    assert registry.refused == []


def _fault(model: str, body: Content) -> str:
    kind = getattr(mr_openapi, model)
    known = {each.alias or name for name, each in kind.model_fields.items()}
    if unknown := set(body) - known:
        return f"json: unknown field {sorted(unknown)}"
    try:
        kind.from_dict(body)
    except (ValidationError, ValueError) as error:
        return str(error)
    return ""


def _valid(kind: str, content: Content, status: int = 200) -> Response:
    fault = _fault(_KINDS[kind][0], content)
    assert not fault, fault
    return JSONResponse(content, status)


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"code": code, "message": message}, status)
