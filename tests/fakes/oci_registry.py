"""A registry of images, in memory: blobs and manifests as the distribution specification says.

It checks every digest, and takes a manifest only after its blobs. It asks for no credentials that
it could be given, since clients send none without TLS, and it cannot show what real registries
refuse: tests/cluster/test_model_images.py asks Debian's docker-registry, with a password and TLS.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.http_server import running


@dataclass
class FakeRegistry:
    """What the registry has, and how it answers."""

    name: str
    """Path of its one repository."""
    host: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    """By digest."""
    tags: dict[str, str] = field(default_factory=dict)
    """Digest by tag."""
    instead: list[Response] = field(default_factory=list)
    """Answers to the next requests."""
    asked: list[str] = field(default_factory=list)
    """Method and path of every request."""

    @property
    def repository(self) -> str:
        return f"oci://{self.host}/{self.name}"

    async def answer(self, request: Request) -> Response:
        path = request.url.path.removeprefix(f"/v2/{self.name}/")
        self.asked.append(f"{request.method} {path.partition('/')[0]}")
        if self.instead:
            return self.instead.pop(0)
        kind, _, name = path.partition("/")
        if kind == "manifests":
            return self._manifest(request.method, name, await request.body())
        if name.startswith("uploads/"):
            return self._upload(request, await request.body())
        return Response(status_code=200 if name in self.blobs else 404)

    def _upload(self, request: Request, content: bytes) -> Response:
        if request.method == "POST":
            return Response(status_code=202, headers={"Location": f"{request.url}one?state=x"})
        digest = request.query_params["digest"]
        if digest != _digest(content):
            return _refusal(400, "provided digest did not match uploaded content")
        self.blobs[digest] = content
        return Response(status_code=201)

    def _manifest(self, method: str, name: str, content: bytes) -> Response:
        if method == "PUT":
            manifest = json.loads(content)
            for blob in (manifest["config"], *manifest["layers"]):
                if len(self.blobs.get(blob["digest"], b"")) != blob["size"]:
                    return _refusal(400, "blob unknown to registry")
            self.manifests[_digest(content)] = content
            self.tags[name] = _digest(content)
            return Response(status_code=201)
        digest = self.tags.get(name, name)
        if digest not in self.manifests:
            return Response(status_code=404)
        return Response(status_code=200, headers={"Docker-Content-Digest": digest})


@contextmanager
def oci_registry(name: str = "team/emotion") -> Iterator[FakeRegistry]:
    """Have a registry for the length of a block; it has one repository, of this path."""
    registry = FakeRegistry(name)
    methods = ["GET", "HEAD", "POST", "PUT"]
    with running([Route("/v2/{path:path}", registry.answer, methods=methods)]) as url:
        registry.host = url.removeprefix("http://")
        yield registry


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"errors": [{"code": "REFUSED", "message": message}]}, status)
