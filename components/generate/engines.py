"""Ways to get a server that speaks the OpenAI protocol: a URL, llama.cpp, or vLLM."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from components import storage
from components.checks import InputError
from components.processes import free_port, running_server

_LLAMA_START_SECONDS = 120.0
_VLLM_START_SECONDS = 1800.0
_GGUF_FILE = re.compile(r"(?P<path>.+\.gguf)(?:@sha256:(?P<digest>[0-9a-f]{64}))?")
_HUB_MODEL = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})")


@dataclass(frozen=True)
class Model:
    """An LLM and the kind of server that runs it.

    Args:
        kind: `endpoint` is a server that runs already, the others are launched.
        location: Base URL, path or URI of a GGUF file, or hub id.
        revision: Hub commit for `vllm`, name of the model for `endpoint`, sha256 of the
            file for `llama.cpp` (empty: not checked).
    """

    kind: Literal["endpoint", "llama.cpp", "vllm"]
    location: str
    revision: str = ""


@dataclass(frozen=True)
class Endpoint:
    """A server that is ready: its base URL (ending in /v1) and its name for the model."""

    base_url: str
    model: str


def parse_model(reference: str) -> Model:
    """Read one entry of the `models` setting.

    Args:
        reference: `https://host/v1#name` for a running server; a path or URI of a GGUF file
            for llama.cpp, if wanted with `@sha256:` and its hash; `owner/name@commit` for vLLM.

    Raises:
        InputError: If it is none of these.
    """
    url, _, name = reference.partition("#")
    if re.match(r"https?://", url) and name:
        return Model("endpoint", url.rstrip("/"), name)
    if file := _GGUF_FILE.fullmatch(reference):
        return Model("llama.cpp", file["path"], file["digest"] or "")
    if hub := _HUB_MODEL.fullmatch(reference):
        return Model("vllm", hub["name"], hub["revision"])
    raise InputError(
        f"models: {reference!r}",
        "is neither a server (https://host/v1#name), a .gguf file nor a pinned hub model",
        "For a hub model write owner/name@ and the 40 digits of the commit, for a .gguf file "
        "with a pin add @sha256: and 64 digits",
    )


@contextmanager
def serving(model: Model, concurrency: int, folder: Path) -> Iterator[Endpoint]:
    """Have a server for the model during a block.

    Args:
        model: Which model, and how it is served.
        concurrency: Requests the server will be asked at once.
        folder: Takes downloads and the server's log, `llm.log`.

    Raises:
        InputError: If the model is missing or its server does not start.
    """
    if model.kind == "endpoint":
        yield Endpoint(model.location, model.revision)
        return
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    if model.kind == "llama.cpp":
        command = _llama_command(model, concurrency, port, folder)
        seconds = _LLAMA_START_SECONDS
    else:
        command = _vllm_command(model, port)
        seconds = _VLLM_START_SECONDS
    with running_server(command, f"{url}/health", folder / "llm.log", seconds):
        yield Endpoint(f"{url}/v1", model.location)


def _llama_command(model: Model, concurrency: int, port: int, folder: Path) -> list[str]:
    path = storage.fetch(model.location, folder)
    if model.revision:
        storage.require_sha256(path, model.revision)
    server = [sys.executable, "-m", "components.generate.llama_server", "--model", str(path)]
    return [*server, "--alias", model.location, "--parallel", str(concurrency), "--port", str(port)]


def _vllm_command(model: Model, port: int) -> list[str]:
    server = ["vllm", "serve", model.location, "--revision", model.revision]
    return [*server, "--host", "127.0.0.1", "--port", str(port)]
