"""Settings of the evaluate step."""

from dataclasses import dataclass
from typing import ClassVar

from components.artifacts.registry import require_guarded
from components.artifacts.signatures import Trust
from components.errors import require_between
from components.options import shared

SAMPLE = "sample"


@dataclass(frozen=True)
class EvaluateSettings:
    """Settings of the evaluate step.

    Raises:
        InputError: If a value is out of range, or the registry could not guard its champion.
    """

    STEP: ClassVar[str] = "evaluate"

    task: str = shared("task", "emotion")
    """Shipped task name, or path or URI of a task file."""
    gate: str = "sample"
    """Demands on a model: shipped gate name, or path or URI of a gate file."""
    registry: str = shared("deploy_registry", "")
    """Folder (path, file://, gs:// or s3://) that names the model in service; may be empty."""
    public_key: str = ""
    """A public key in PEM form, or the path of a file with one: the model in service must be signed
    with its private key; may be empty."""
    signer_identity: str = ""
    """Who must have signed the model in service with Sigstore instead; may be empty."""
    signer_issuer: str = ""
    """URL of the OpenID Connect issuer that confirms the signer's identity."""
    out_of_domain: str = SAMPLE
    """`sample`, path or URI of a CSV file of other texts (text, label) to test on; may be empty."""
    bootstrap_samples: int = 2000
    """Bootstrap samples behind an interval."""
    seed: int = shared("seed", 0)
    """Seed of the bootstrap, the perturbations and the logistic regression to compare with."""

    def __post_init__(self) -> None:
        require_between("bootstrap_samples", self.bootstrap_samples, 100, 100_000)
        require_between("seed", self.seed, 0, 2**31 - 1)
        if self.registry:
            require_guarded(self.registry)
        Trust(self.public_key, self.signer_identity, self.signer_issuer)

    @property
    def trust(self) -> Trust:
        """Whose signature the model in service must have."""
        return Trust(self.public_key, self.signer_identity, self.signer_issuer)
