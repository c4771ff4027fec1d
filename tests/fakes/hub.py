"""The part of the Hugging Face hub's API that tells whether a repository can be read, and files."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.http_server import running

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OPEN, GATED, TOKEN = "someone/open", "someone/gated", "hf_token"
ENCODER = "someone/encoder"
"""A model whose texts have at most 64 tokens."""

_CONFIG = json.dumps({"model_type": "bert", "max_position_embeddings": 64})
_FILES = {
    OPEN: {"tokenizer.json": "{}"},
    GATED: {},
    ENCODER: {"config.json": _CONFIG, "model.safetensors": "", "tokenizer_config.json": "{}"},
}


@contextmanager
def hub() -> Iterator[str]:
    """Open and gated repositories of each kind; yields the hub's URL."""
    routes = [
        Route("/api/{kind}/{owner}/{name}/revision/{revision}", _info),
        Route("/api/{kind}/{owner}/{name}/auth-check", _auth_check),
        Route("/{owner}/{name}/resolve/{revision}/{file}", _file),
    ]
    with running(routes) as url:
        yield url


async def _info(request: Request) -> Response:
    name = _name(request)
    if name not in _FILES:
        return _refusal(404, "RepoNotFound")
    if request.path_params["revision"] != COMMIT:
        return _refusal(404, "RevisionNotFound")
    files = [{"rfilename": each} for each in _FILES[name]]
    return JSONResponse({"id": name, "sha": COMMIT, "siblings": files, "tags": [], "downloads": 0})


async def _file(request: Request) -> Response:
    content = _FILES[_name(request)][request.path_params["file"]]
    headers = {"etag": f'"{hash(content):x}"', "x-repo-commit": COMMIT}
    return Response(content, headers=headers)


async def _auth_check(request: Request) -> Response:
    if _name(request) == GATED and request.headers.get("authorization") != f"Bearer {TOKEN}":
        return _refusal(403, "GatedRepo")
    return JSONResponse({})


def _name(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['name']}"


def _refusal(status: int, code: str) -> Response:
    return JSONResponse({"error": code}, status, headers={"X-Error-Code": code})
