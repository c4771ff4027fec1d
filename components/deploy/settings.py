"""The settings of the deploy step."""

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from components.api_server import require_namespace
from components.artifacts.image_repository import require_repository
from components.artifacts.registry import require_guarded
from components.artifacts.signatures import ANYBODY, Trust
from components.artifacts.signer import Signer
from components.deploy.inference_service import AUTO, CANDIDATE, KNATIVE, STANDARD
from components.deploy.scaling import QUEUE, Scaling
from components.errors import InputError, require_between, require_http_url, require_one_of
from components.options import shared

TARGETS = ("kserve", "local", "render")

# KServe appends to the name (`-predictor-00001-deployment-...`); 63 characters are allowed.
_SERVICE_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
# KServe adds these to a service's name for the names of its parts, and takes them off again.
_OF_PARTS = ("-predictor", "-default", f"-{CANDIDATE}")


@dataclass(frozen=True)
class DeploySettings:
    """Settings of the deploy step."""

    STEP: ClassVar[str] = "deploy"

    task: str = shared("task", "emotion")
    """Shipped task name, or path or URI of a task file."""
    target: str = "local"
    """`render` writes the manifest; `local` also runs the predictor here and smoke-tests it;
    `kserve` puts the model into service on the cluster."""
    service_name: str = "emotion"
    """Name of the InferenceService and of the model in its URLs."""
    registry: str = ""
    """Folder (path, file://, gs:// or s3://) of published models and the champion; may be empty."""
    model_images: str = ""
    """Repository of images, `oci://host/path`, in which released models are published as well, and
    from which pods mount them; empty lets pods download them from the registry."""
    model_registry: str = ""
    """URL of the model registry of Kubeflow Hub, which is told of the release; empty for none."""
    signing_key: str = ""
    """Path of a private key (PEM, an elliptic curve) that signs what is published; the predictor
    then serves nothing else; may be empty."""
    signer_identity: str = ""
    """The identity of the deploying process, with which Sigstore signs instead; may be empty."""
    signer_issuer: str = ""
    """URL of the OpenID Connect issuer that confirms it."""
    image: str = "emotion-pipeline/serve:0.1.0"
    """Container image of the predictor; the pipeline sets the one it was compiled with."""
    mode: str = AUTO
    """KServe's deployment mode: `Knative` or `Standard`; `auto` for that of the service in place,
    else `Knative` where the cluster has it."""
    namespace: str = ""
    """Namespace of the service; empty for that of the pod, or of the kubeconfig's context."""
    gateway: str = ""
    """Base URL of the ingress gateway, if the service's own host names do not resolve."""
    canary_percent: int = 10
    """Percentage of the traffic that a new model gets at first, 0 to 99. In Standard mode the
    cluster's gateway splits it, if KServe routes through one."""
    ready_seconds: float = 900.0
    """Longest time until a new model, or a restored old one, is in service."""
    endpoint_seconds: float = 60.0
    """Longest time until the address of a ready service answers."""
    max_latency_ms: float = 1000.0
    """Longest mean time between a sentence of the smoke test on a cluster and its answer."""
    min_replicas: int | None = None
    """Fewest predictors; 0 for none while nobody asks, in Knative mode. By default what the service
    has. Alone it is also the most."""
    max_replicas: int | None = None
    """Most predictors. By default what the service has."""
    scale_metric: str = ""
    """What the number follows: `concurrency` (the default) or `rps` in Knative mode, `cpu` (the
    default) or `queue` in Standard mode; `queue` needs KEDA and Prometheus."""
    scale_target: int = 0
    """Value of the metric for each predictor; 0 for the default of docs/scaling.md."""
    prometheus: str = "http://prometheus-operated.monitoring:9090"
    """URL of the Prometheus that scrapes the predictors, for `queue`."""

    def __post_init__(self) -> None:
        require_one_of("target", self.target, TARGETS)
        if not _SERVICE_NAME.fullmatch(self.service_name):
            rule = "must be a DNS label: a letter, then up to 39 of a-z, 0-9 and inner hyphens"
            raise InputError(f"service_name={self.service_name!r}", rule, "Rename the service")
        if self.service_name.endswith(_OF_PARTS):
            rule = f"must not end in {', '.join(_OF_PARTS)}, as KServe's names of its parts do"
            raise InputError(f"service_name={self.service_name!r}", rule, "Rename the service")
        if not re.fullmatch(r"\S+", self.image):
            raise InputError(f"image={self.image!r}", "must name an image", "Use NAME:TAG")
        require_one_of("mode", self.mode, (AUTO, KNATIVE, STANDARD))
        require_between("canary_percent", self.canary_percent, 0, 99)
        for name in ("ready_seconds", "endpoint_seconds", "max_latency_ms"):
            require_between(name, getattr(self, name), 0.1)
        if self.namespace:
            require_namespace(self.namespace)
        if self.registry:
            require_guarded(self.registry)
        if self.model_images:
            require_repository("model_images", self.model_images)
        if self.model_registry:
            require_http_url("model_registry", self.model_registry)
            _require_address(self.model_registry)
        self._require_one_signer()
        self._require_scaling()

    @property
    def signer(self) -> Signer | None:
        """Who signs published models; None if they stay unsigned."""
        signer = Signer(self.signing_key, self.signer_identity, self.signer_issuer)
        return signer if self.signing_key or self.signer_identity else None

    @property
    def trust(self) -> Trust:
        """Whose signature the predictor demands.

        Raises:
            InputError: If the signing key cannot be used.
        """
        return self.signer.trust() if self.signer else ANYBODY

    def _require_one_signer(self) -> None:
        Trust(signer_identity=self.signer_identity, signer_issuer=self.signer_issuer)
        if self.signing_key and self.signer_identity:
            rule = "is set beside signer_identity, but a model has one signature"
            raise InputError(f"signing_key={self.signing_key!r}", rule, "Set one of them")
        if self.signer and not self.registry:
            thing = "signing_key" if self.signing_key else "signer_identity"
            rule = "is set, but without a registry nothing is published that could be signed"
            raise InputError(thing, rule, "Set a registry as well")

    @property
    def scaling(self) -> Scaling:
        """The number of the service's predictors."""
        replicas = (self.min_replicas, self.max_replicas)
        return Scaling(self.mode, *replicas, self.scale_metric, self.scale_target)

    def _require_scaling(self) -> None:
        require_http_url("prometheus", self.prometheus)
        metric = self.scaling.metric
        unsaid = ["mode"] if metric and self.mode == AUTO else []
        unsaid += ["namespace"] if metric == QUEUE and not self.namespace else []
        if unsaid and self.target != "kserve":
            rule = f"needs the {unsaid[0]}, for which target={self.target!r} asks no cluster"
            raise InputError(f"scale_metric={metric!r}", rule, f"Set {' and '.join(unsaid)}")


def _require_address(model_registry: str) -> None:
    """Refuse more than an address, which would get into requests, logs and annotations."""
    parts = urlsplit(model_registry)
    more = "@" in parts.netloc or parts.query or parts.fragment
    if more or "/api/model_registry" in parts.path:
        rule = "holds more than its address: an account, a query, a # or a path of its API"
        fix = "Write it like https://host; a token goes into MODEL_REGISTRY_TOKEN"
        raise InputError("model_registry", rule, fix)
