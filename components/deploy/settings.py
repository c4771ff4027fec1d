"""What a user may choose about the deployment."""

import re
from dataclasses import dataclass

from components.champion import require_guarded
from components.checks import InputError, require_one_of

TARGETS = ("local", "render")

# KServe appends to the name (`-predictor-00001-deployment-...`), and the whole may have 63.
_SERVICE_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class DeploySettings:
    """Settings of the deploy step."""

    task: str = "emotion"
    """Shipped task name, or path or URI of a task file."""
    deploy_target: str = "local"
    """`render` writes the manifest; `local` also runs the predictor here and tries it out."""
    service_name: str = "emotion"
    """Name of the InferenceService and of the model in its URLs."""
    registry: str = ""
    """Folder (path, file:// or gs://) that the model is published to, and that names the model in
    service; may be empty."""
    image: str = "emotion-pipeline:0.1.0"
    """Container image that holds this package with its `serve` extra."""

    def __post_init__(self) -> None:
        require_one_of("deploy_target", self.deploy_target, TARGETS)
        if not _SERVICE_NAME.fullmatch(self.service_name):
            rule = "must be a DNS label: a letter, then up to 39 of a-z, 0-9 and inner hyphens"
            raise InputError(f"service_name={self.service_name!r}", rule, "Rename the service")
        if not re.fullmatch(r"\S+", self.image):
            raise InputError(f"image={self.image!r}", "must name an image", "Use NAME:TAG")
        if self.registry:
            require_guarded(self.registry)
