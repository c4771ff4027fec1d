"""Settings of the watch step."""

from dataclasses import dataclass
from typing import ClassVar

from components import storage
from components.artifacts.registry import require_guarded
from components.errors import InputError, require_between, require_http_url
from components.options import shared


@dataclass(frozen=True)
class WatchSettings:
    """Settings of the watch step.

    Raises:
        InputError: If a value is out of range, or it is not said which model is watched.
    """

    STEP: ClassVar[str] = "watch"

    payloads: str = ""
    """Folder (path, gs:// or s3://) of the payload log: requests and answers as KServe's logger
    stores them (JSON, Parquet) or as CloudEvents (JSON lines)."""
    registry: str = shared("deploy_registry", "")
    """Folder (path, file://, gs:// or s3://) that names the model in service, which is watched."""
    model: str = ""
    """Model folder, path or URI, instead of the registry's."""
    reference: str = ""
    """Evaluation of the model, or what an earlier watch found, path or URI, to compare with; empty
    takes the registry's evaluation of the model in service."""
    max_requests: int = 5000
    """Requests to look at, drawn evenly from all; bounds memory and time."""
    min_texts: int = 200
    """Texts from which a verdict is given: below, only large shifts could be told from chance."""
    max_distance: float = 0.1
    """Jensen-Shannon distance (base 2, 0 to 1) above which a shift is drift."""
    significance: float = 0.01
    """Share of false alarms among shifts (false discovery rate) above which a shift counts as
    chance."""
    label_tasks: int = 0
    """Least sure texts to write for people to label; 0 writes no texts."""
    redact: bool = True
    """Take personal data out of the texts to label; needs the extra `watch`."""
    trigger: bool = False
    """Start the main pipeline when there is drift, once for each model in service."""
    kfp_host: str = ""
    """URL of Kubeflow Pipelines, for `trigger`: http://ml-pipeline.kubeflow:8888 in its cluster."""
    kfp_namespace: str = ""
    """Profile of the run, where there are several users."""
    kfp_token_file: str = "/var/run/secrets/kubeflow/pipelines/token"  # noqa: S105 (a path)
    """File of the account's token; where there is none, nothing is said of the account."""
    service_account: str = "runner"
    """Service account of the run's pods."""
    seed: int = shared("seed", 0)
    """Draws the sample."""

    def __post_init__(self) -> None:
        if not self.payloads:
            raise InputError("payloads", "is empty", "Name the folder of the payload log")
        storage.require_store(self.payloads)
        if self.registry:
            require_guarded(self.registry)
        elif not (self.model and self.reference):
            fix = "Name a registry, or both a model and its evaluation as reference"
            raise InputError("registry", "is empty, so no model is watched", fix)
        if self.trigger:
            if not self.registry:
                fix = "Name the registry, or set trigger=false"
                raise InputError("trigger=True", "needs the registry of the model in service", fix)
            require_http_url("kfp_host", self.kfp_host)
        require_between("max_requests", self.max_requests, 1, 1_000_000)
        require_between("min_texts", self.min_texts, 10)
        require_between("max_distance", self.max_distance, 0, 1)
        require_between("significance", self.significance, 1e-6, 0.5)
        require_between("label_tasks", self.label_tasks, 0, 10_000)
        require_between("seed", self.seed, 0, 2**31 - 1)
