"""A repository of the Hugging Face Hub that takes commits, and gives back what it took.

The bodies are those that huggingface_hub 2 sends and reads: the tests reach it through that client
alone. It cannot show that the hub accepts a card or shows it, nor Xet's transfer of large files,
which the client uses there in place of LFS; no test here has an account.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.http_server import running

OWNER, NAME, TOKEN = "someone", "emotion-classifier", "hf_writer"
COMMIT = "fedcba9876543210fedcba9876543210fedcba98"
_SMALL = 1000


@dataclass
class HubRepository:
    """What the hub holds."""

    status: int = 200
    """Status of the answers to those who write."""
    created: dict[str, object] = field(default_factory=dict)
    """What the repository was created with."""
    files: dict[str, bytes] = field(default_factory=dict)
    message: str = ""
    large: dict[str, bytes] = field(default_factory=dict)

    async def create(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": "Invalid username or password."}, 401)
        if self.status != 200:
            return JSONResponse({"error": "not now"}, self.status)
        self.created = await request.json()
        url = f"{request.base_url}{OWNER}/{NAME}"
        return JSONResponse({"url": url, "id": f"{OWNER}/{NAME}"})

    async def validate(self, request: Request) -> Response:
        assert "content" in await request.json()
        return JSONResponse({"errors": [], "warnings": []})

    async def preupload(self, request: Request) -> Response:
        asked = (await request.json())["files"]
        modes = [
            {
                "path": each["path"],
                "uploadMode": "regular" if each["size"] < _SMALL else "lfs",
                "shouldIgnore": False,
            }
            for each in asked
        ]
        return JSONResponse({"files": modes})

    async def batch(self, request: Request) -> Response:
        objects = (await request.json())["objects"]
        for each in objects:
            upload = {"href": f"{request.base_url}lfs/{each['oid']}"}
            each["actions"] = {"upload": upload}
        content = {"transfer": "basic", "objects": objects}
        return JSONResponse(content, media_type="application/vnd.git-lfs+json")

    async def put(self, request: Request) -> Response:
        self.large[request.path_params["oid"]] = await request.body()
        return Response()

    async def commit(self, request: Request) -> Response:
        for line in (await request.body()).splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "header":
                self.message = value["summary"]
            elif entry["key"] == "file":
                self.files[value["path"]] = base64.b64decode(value["content"])
            else:
                self.files[value["path"]] = self.large[value["oid"]]
        url = f"{request.base_url}{OWNER}/{NAME}/commit/{COMMIT}"
        return JSONResponse({"commitUrl": url, "commitOid": COMMIT, "pullRequestUrl": None})

    async def info(self, _: Request) -> Response:
        siblings = [{"rfilename": each} for each in self.files]
        return JSONResponse({"id": f"{OWNER}/{NAME}", "sha": COMMIT, "siblings": siblings})

    async def tree(self, _: Request) -> Response:
        described = [
            {"type": "file", "path": name, "size": len(content), "oid": COMMIT}
            for name, content in self.files.items()
        ]
        return JSONResponse(described)

    async def file(self, request: Request) -> Response:
        content = self.files[request.path_params["path"]]
        headers = {"etag": f'"{hash(content):x}"', "x-repo-commit": COMMIT}
        return Response(content, headers=headers)


@contextmanager
def serving(hub: HubRepository) -> Iterator[str]:
    """Have the hub during a block; yields its URL."""
    repository, post, put = f"{OWNER}/{NAME}", ["POST"], ["PUT"]
    routes = [
        Route("/api/repos/create", hub.create, methods=post),
        Route("/api/validate-yaml", hub.validate, methods=post),
        Route(f"/api/models/{repository}/preupload/main", hub.preupload, methods=post),
        Route(f"/{repository}.git/info/lfs/objects/batch", hub.batch, methods=post),
        Route("/lfs/{oid}", hub.put, methods=put),
        Route(f"/api/models/{repository}/commit/main", hub.commit, methods=post),
        Route(f"/api/models/{repository}/revision/main", hub.info),
        Route(f"/api/models/{repository}/tree/{COMMIT}", hub.tree),
        Route(f"/{repository}/resolve/{{revision}}/{{path:path}}", hub.file),
    ]
    with running(routes) as url:
        yield url
