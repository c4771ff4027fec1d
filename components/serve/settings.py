"""The settings of the predictor."""

import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from components.artifacts.signatures import Trust
from components.errors import InputError, require_between, require_http_url, require_one_of

PRECISIONS = ("int8", "fp32", "torch")


def _between(least: float, most: float, default: float) -> Any:
    return field(default=default, metadata={"range": (least, most)})


@dataclass(frozen=True)
class ServeSettings:
    """Settings of the predictor."""

    model_dir: Path
    """Model folder as train writes it; KServe mounts it at `/mnt/models`."""
    model_name: str = "emotion"
    """Name of the model in the URLs."""
    public_key: str = ""
    """A public key in PEM form, or the path of a file with one: the model folder must be signed
    with its private key; may be empty."""
    signer_identity: str = ""
    """Who must have signed the model folder with Sigstore instead; may be empty."""
    signer_issuer: str = ""
    """URL of the OpenID Connect issuer that confirms the signer's identity."""
    run_id: str = ""
    """The pipeline run that created the model; part of the version in answers; may be empty."""
    host: str = "127.0.0.1"
    """Address to listen on; `::` in a pod, where probes and traffic come from outside: IPv6 and
    IPv4, whichever there is."""
    http_port: int = _between(1, 65_535, 8080)
    """TCP port of HTTP."""
    grpc_port: int = _between(0, 65_535, 0)
    """TCP port of gRPC; 0 for none."""

    precision: str = "int8"
    """`int8` or `fp32` for ONNX Runtime on the CPU; `torch` for torch, on a GPU if there is one."""
    threads: int = _between(0, 256, 0)
    """Inferences at a time, one thread each; 0 for the container's number of CPUs."""
    batch_tokens: int = _between(1, 1_000_000, 1024)
    """Most tokens in a batch, padding included."""
    batch_wait_ms: float = _between(0, 5, 0.0)
    """Longest time that a batch which is not full waits for more texts, 0 to 5 milliseconds."""

    queue_texts: int = _between(65, 100_000, 512)
    """Most texts in the queue; further ones are refused with 503. One explained text needs 65."""
    max_requests: int = _between(1, 100_000, 256)
    """Most requests in progress; further ones are refused with 503."""
    max_connections: int = _between(1, 100_000, 1024)
    """Most open connections; further ones are refused with 503 and closed."""
    max_body_bytes: int = _between(1, 2**30, 262_144)
    """Most bytes of a request body."""
    max_header_bytes: int = _between(1024, 2**20, 16_384)
    """Most bytes of a request's headers and target."""
    max_texts: int = _between(1, 100_000, 256)
    """Most texts in a request."""
    max_characters: int = _between(1, 10_000_000, 10_000)
    """Most characters of a text."""
    max_explained_texts: int = _between(1, 1000, 4)
    """Most texts in an explain request, each of which costs up to 65 inferences."""
    header_seconds: float = _between(0.1, 600, 10.0)
    """Seconds until the headers of a request must have arrived."""
    body_seconds: float = _between(0.1, 600, 10.0)
    """Seconds until the body of a request must have arrived."""
    request_seconds: float = _between(0.1, 600, 30.0)
    """Seconds until a request must be answered and its answer received."""
    idle_seconds: int = _between(1, 3600, 75)
    """Seconds after which an idle connection is closed; more than those of a gateway."""

    drain_seconds: float = _between(0, 600, 5.0)
    """Seconds after SIGTERM in which requests are still accepted, until gateways stop them."""
    shutdown_seconds: int = _between(1, 600, 10)
    """Seconds that requests in progress may take after that, over HTTP and then over gRPC."""
    page: bool = True
    """Serve the page for people at `/`."""
    log_requests: bool = False
    """Log a line per request, without its texts, over HTTP and gRPC."""
    log_texts: bool = False
    """Put the texts into these lines."""
    payload_url: str = ""
    """URL to which every request and answer, over HTTP and gRPC, is posted as a CloudEvent, as by
    KServe's logger; may be empty."""
    payload_folder: str = ""
    """Folder that keeps them instead, texts and all, in a file of JSON lines per day (UTC); may be
    empty."""

    def __post_init__(self) -> None:
        if not self.model_dir.is_dir():
            raise InputError(f"model folder {self.model_dir}", "does not exist", "Check the path")
        if not re.fullmatch(r"[A-Za-z0-9._-]+", self.model_name):
            rule = "must be a name that can stand in a URL"
            raise InputError(f"model_name={self.model_name!r}", rule, "Use letters, digits and -")
        require_one_of("precision", self.precision, PRECISIONS)
        for each in fields(self):
            if bounds := each.metadata.get("range"):
                require_between(each.name, getattr(self, each.name), *bounds)
        self._refuse_contradictions()

    @property
    def trust(self) -> Trust:
        """Whose signature the model folder must have."""
        return Trust(self.public_key, self.signer_identity, self.signer_issuer)

    @property
    def bare_host(self) -> str:
        """The host without the brackets that an IPv6 address has in a URL."""
        return self.host.removeprefix("[").removesuffix("]")

    def address(self, port: int) -> str:
        """Build the address of a port, as it stands in a URL."""
        host = self.bare_host
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _refuse_contradictions(self) -> None:
        if self.max_texts > self.queue_texts:
            rule = f"is more than fit into the queue (queue_texts={self.queue_texts})"
            raise InputError(f"max_texts={self.max_texts}", rule, "Raise queue_texts")
        if self.log_texts and not self.log_requests:
            rule = "extends the lines of log_requests, which is off"
            raise InputError("log_texts=True", rule, "Turn on both")
        if self.payload_url:
            require_http_url("payload_url", self.payload_url)
        Trust(self.public_key, self.signer_identity, self.signer_issuer)
        if self.payload_url and self.payload_folder:
            rule = "has the place of payload_url, which is given, too"
            fix = "Give one of them"
            raise InputError(f"payload_folder={self.payload_folder!r}", rule, fix)
        if self.grpc_port == self.http_port:
            raise InputError(
                f"grpc_port={self.grpc_port}", "is the port of HTTP", "Choose another port"
            )
