"""The part of the Hugging Face hub's API that tells whether a repository can be read."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.http_server import running

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = [{"rfilename": "tokenizer.json"}]
OPEN, GATED, TOKEN = "someone/open", "someone/gated", "hf_token"


@contextmanager
def hub() -> Iterator[str]:
    """An open and a gated repository of each kind; yields the hub's URL."""
    routes = [
        Route("/api/{kind}/{owner}/{name}/revision/{revision}", _info),
        Route("/api/{kind}/{owner}/{name}/auth-check", _auth_check),
    ]
    with running(routes) as url:
        yield url


async def _info(request: Request) -> Response:
    name = _name(request)
    if name not in {OPEN, GATED}:
        return _refusal(404, "RepoNotFound")
    if request.path_params["revision"] != COMMIT:
        return _refusal(404, "RevisionNotFound")
    return JSONResponse({"id": name, "sha": COMMIT, "siblings": FILES, "tags": [], "downloads": 0})


async def _auth_check(request: Request) -> Response:
    if _name(request) == GATED and request.headers.get("authorization") != f"Bearer {TOKEN}":
        return _refusal(403, "GatedRepo")
    return JSONResponse({})


def _name(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['name']}"


def _refusal(status: int, code: str) -> Response:
    return JSONResponse({"error": code}, status, headers={"X-Error-Code": code})
