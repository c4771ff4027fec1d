"""What `models` may name: a server, one that llama.cpp or vLLM becomes, or a recorded ledger."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Literal

from filelock import FileLock

from components import storage
from components.artifacts.synthetic import RECORDED
from components.errors import InputError, require_http_url
from components.hub import PINNED_MODEL
from components.processes import free_port, running_server

_LLAMA_START_SECONDS = 120.0
_VLLM_START_SECONDS = 1800.0
_LEAST_CONTEXT_TOKENS = {"llama.cpp": 1024, "vllm": 4096}
_LLAMA_LOCK = Path(gettempdir()) / f"llama-server-{os.getuid()}.lock"
_GGUF_FILE = re.compile(r"(?P<path>.+\.gguf)(?:@sha256:(?P<digest>[0-9a-f]{64}))?")
_VLLM_FOLDER = re.compile(r"vllm:(?P<location>.+)")
_RECORDING = re.compile(rf"{RECORDED}(?P<location>.+)")


@dataclass(frozen=True)
class Model:
    """An LLM and the kind of server that runs it.

    Args:
        kind: `endpoint` is a server that already runs; `llama.cpp` and `vllm` are started;
            `recorded` is a ledger whose answers are used again (see `generate.recording`).
        location: Base URL, hub id, or path or URI of a GGUF file, transformers folder or ledger.
        revision: Hub commit for `vllm` (empty: the location is a folder), name of the model
            for `endpoint`, sha256 of the file for `llama.cpp` (empty: not checked).
    """

    kind: Literal["endpoint", "llama.cpp", "vllm", "recorded"]
    location: str
    revision: str = ""


@dataclass(frozen=True)
class LlmEndpoint:
    """A server that is ready: its base URL (ending in /v1) and its name for the model."""

    base_url: str
    model: str


@dataclass(frozen=True)
class GpuGrid:
    """The GPUs of one machine that an LLM is spread over.

    Args:
        tensor: GPUs that each layer is spread over.
        pipeline: Groups of so many GPUs that the layers are spread over.

    Source: https://docs.vllm.ai/en/latest/serving/parallelism_scaling/
    """

    tensor: int = 1
    pipeline: int = 1

    @property
    def count(self) -> int:
        """Number of GPUs."""
        return self.tensor * self.pipeline


ONE_GPU = GpuGrid()


def parse_model(reference: str) -> Model:
    """Read one entry of the `models` setting.

    Args:
        reference: `https://host/v1#name` for a running server; a path or URI of a GGUF file
            for llama.cpp, optionally with `@sha256:` and its hash; for vLLM `owner/name@commit`,
            or `vllm:` and the path or URI of a transformers folder; `recorded:` and the path or URI
            of a ledger.

    Raises:
        InputError: If it is none of these.
    """
    if ledger := _RECORDING.fullmatch(reference):
        return Model("recorded", ledger["location"])
    url, _, name = reference.partition("#")
    if re.match(r"https?://", url) and name:
        require_http_url("models", url)
        return Model("endpoint", url.rstrip("/"), name)
    if folder := _VLLM_FOLDER.fullmatch(reference):
        return Model("vllm", folder["location"])
    if file := _GGUF_FILE.fullmatch(reference):
        return Model("llama.cpp", file["path"], file["digest"] or "")
    if hub := PINNED_MODEL.fullmatch(reference):
        return Model("vllm", hub["name"], hub["commit"])
    raise InputError(
        f"models: {reference!r}",
        "is neither a server (https://host/v1#name), a .gguf file, a pinned hub model, "
        "a folder for vLLM nor a recorded ledger",
        "For a hub model write owner/name@ and the 40 digits of the commit, for a .gguf file "
        "with a pin add @sha256: and 64 digits, for a folder write vllm: and its path, "
        "for a ledger recorded: and its path",
    )


def may_have_key(reference: str, writer: str) -> bool:
    """Tell whether an LLM's server may be told the key: no other server's key is told to it.

    Args:
        reference: The LLM that is asked, for texts or for opinions.
        writer: The LLM that writes the texts; if it is not remote, the key is not its own.
    """
    asked, own = parse_model(reference), parse_model(writer)
    return own.kind != "endpoint" or asked.location == own.location


@contextmanager
def serving(
    model: Model,
    concurrency: int,
    folder: Path,
    context_tokens: int = 0,
    gpus: GpuGrid = ONE_GPU,
) -> Iterator[LlmEndpoint]:
    """Provide a server for the model during a block.

    Args:
        model: Which model, and how it is served.
        concurrency: Requests that the server gets at a time.
        folder: Takes the server's log, `llm.log`.
        context_tokens: Most tokens of a request and its answer together, where the server is
            started here; its least are 1,024 of llama.cpp and 4,096 of vLLM.
        gpus: The GPUs that vLLM uses, if it is started.

    Raises:
        InputError: If the model is missing, or differs from its pin.
        WorkError: If its server does not start.
    """
    if model.kind == "endpoint":
        yield LlmEndpoint(model.location, model.revision)
        return
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    context = max(context_tokens, _LEAST_CONTEXT_TOKENS[model.kind])
    with TemporaryDirectory() as downloads, ExitStack() as turn:
        if model.kind == "llama.cpp":
            # Branches of a local run take turns: two servers on one machine slow each other down.
            turn.enter_context(FileLock(_LLAMA_LOCK))
            command = _llama_command(model, concurrency, port, Path(downloads), context)
            seconds = _LLAMA_START_SECONDS
        else:
            command = _vllm_command(model, port, Path(downloads), context, gpus)
            seconds = _VLLM_START_SECONDS
        with running_server(command, f"{url}/health", folder / "llm.log", seconds):
            yield LlmEndpoint(f"{url}/v1", model.location)


def _llama_command(
    model: Model, concurrency: int, port: int, downloads: Path, context: int
) -> list[str]:
    path = storage.fetch(model.location, downloads)
    if model.revision:
        storage.require_content(str(path), path, model.revision)
    server = [sys.executable, "-m", "components.generate.llama_server", "--model", str(path)]
    bounds = ["--parallel", str(concurrency), "--context", str(context)]
    return [*server, "--alias", model.location, *bounds, "--port", str(port)]


def _vllm_command(
    model: Model, port: int, downloads: Path, context: int, gpus: GpuGrid
) -> list[str]:
    if model.revision:
        source = [model.location, "--revision", model.revision]
    else:
        path = storage.fetch(model.location, downloads)
        for weights in path.glob("*.safetensors"):
            storage.require_no_pointer(weights)
        source = [str(path), "--served-model-name", model.location]
    # A model's whole context, often 32k and more, may not fit next to its weights on one GPU.
    limits = ["--max-model-len", str(context)]
    if gpus != ONE_GPU:
        limits += ["--tensor-parallel-size", str(gpus.tensor)]
        limits += ["--pipeline-parallel-size", str(gpus.pipeline)]
    return ["vllm", "serve", *source, *limits, "--host", "127.0.0.1", "--port", str(port)]
