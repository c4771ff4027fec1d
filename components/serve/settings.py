"""What the operator of a predictor may choose."""

from dataclasses import dataclass
from pathlib import Path

from components.checks import InputError, require_between


@dataclass(frozen=True)
class ServeSettings:
    """Settings of the predictor."""

    model_dir: Path
    """Model folder as train writes it; KServe mounts it at `/mnt/models`."""
    model_name: str = "emotion"
    """Name of the model in the URLs."""
    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0` in a pod, where probes and traffic come from outside."""
    http_port: int = 8080
    """TCP port to listen on."""
    threads: int = 0
    """Threads for one inference; 0 lets ONNX Runtime choose by the host's cores."""

    def __post_init__(self) -> None:
        if not self.model_dir.is_dir():
            raise InputError(f"model folder {self.model_dir}", "does not exist", "Check the path")
        if not self.model_name or not set(self.model_name).isdisjoint("/:?#% "):
            rule = "must be a name that can stand in a URL"
            raise InputError(f"model_name={self.model_name!r}", rule, "Use letters, digits and -")
        require_between("http_port", self.http_port, 1, 65_535)
        require_between("threads", self.threads, 0, 256)
