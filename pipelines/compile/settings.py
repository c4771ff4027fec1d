"""Settings of a cluster for the compiled pipeline: GPU nodes, secrets, volumes, images."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from kfp import dsl

from components.api_server import require_object_name
from components.data_files import read_mapping, require_mapping
from components.deploy.settings import DeploySettings
from components.errors import InputError, require_between, require_one_of
from components.options import of_type, require_known, with_options
from pipelines.compile.resources import RESOURCES, Resources
from pipelines.lock import locked

_KEYS = ("gpu", "steps", "run", "secrets", "object_storage", "cache_volume", "parameters")
_TOLERATION = {
    "key": (),
    "operator": ("Equal", "Exists"),
    "value": (),
    "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute"),
}
_URL = re.compile(r"https?://[^\s/]+")
Group = TypeVar("Group")


@dataclass(frozen=True)
class GpuNodes:
    """Nodes for the steps with a GPU."""

    resource: str = "nvidia.com/gpu"
    """The GPU's name as a resource of Kubernetes."""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    """Labels that the node must have."""
    tolerations: Sequence[Mapping[str, str]] = ()
    """Taints of the node to tolerate, in a pod's notation."""
    spot: str = ""
    """Label and taint of spot nodes with the value true, for example cloud.google.com/gke-spot;
    empty takes ordinary nodes."""

    def __post_init__(self) -> None:
        if not self.resource:
            fix = "Name it, or write gpu: null for a cluster without GPUs"
            raise InputError("gpu.resource", "is empty", fix)
        for pair in self.node_selector.items():
            if not all(isinstance(each, str) for each in pair):
                rule = "must be two texts"
                thing = "gpu.node_selector {}: {}".format(*pair)
                raise InputError(thing, rule, "Put them into quotes")
        for toleration in self.tolerations:
            _check_toleration(toleration)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the nodes, that of spot nodes among them."""
        return {**self.node_selector, **({self.spot: "true"} if self.spot else {})}


@dataclass(frozen=True)
class Secrets:
    """Names of the Secrets that steps read; an empty name means none."""

    llm_key: str = ""
    """Holds LLM_API_KEY, the key of an LLM server, for preflight and generate."""
    hub_token: str = ""
    """Holds HF_TOKEN, a read token of the model hub, for preflight, generate, merge and train."""
    deployer_token: str = ""
    """Token of the service account that may deploy, mounted only by preflight and deploy."""
    image_registry: str = ""
    """Of the type kubernetes.io/dockerconfigjson, mounted only by preflight and deploy: credentials
    of the registry of model images."""
    model_registry_token: str = ""
    """Holds MODEL_REGISTRY_TOKEN, a token of the model registry, for preflight and deploy."""
    signing_key: str = ""
    """Holds signing.pem, the key that signs models, mounted only by preflight and deploy."""
    webhook_url: str = ""
    """Holds WEBHOOK_URL, which is notified of the end of a run, for outcome."""
    object_storage: str = ""
    """Holds AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the keys of s3:// places, for all."""

    def __post_init__(self) -> None:
        for key, name in asdict(self).items():
            require_object_name(f"secrets.{key}", name)


@dataclass(frozen=True)
class ObjectStorage:
    """The service behind s3:// places, if it is not Amazon's."""

    endpoint: str = ""
    """URL of the service; empty for Amazon S3."""
    region: str = ""
    """Region, which some services want though they have none."""

    def __post_init__(self) -> None:
        if self.endpoint and not _URL.fullmatch(self.endpoint):
            fix = "Write it like http://seaweedfs.kubeflow:9000"
            raise InputError(f"object_storage.endpoint={self.endpoint!r}", "is not a URL", fix)


@dataclass(frozen=True)
class RunLimits:
    """How long a run may take, and how long its pods are kept; 0 sets no limit."""

    hours: float = 0.0
    """Time limit of the whole run, waiting included; what exceeds it is stopped, unrecorded."""
    keep_succeeded_hours: float = 0.0
    """Time after which the Workflow and pods of a run that succeeded are deleted."""
    keep_failed_hours: float = 0.0
    """Time after which the Workflow and pods of a run that failed are deleted."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value:
                require_between(f"run.{name}", value, 0.1, 24 * 365)

    @property
    def config(self) -> dsl.PipelineConfig:
        """The limits as KFP takes them."""
        return dsl.PipelineConfig(
            ttl_seconds_after_success=round(self.keep_succeeded_hours * 3600),
            ttl_seconds_after_failure=round(self.keep_failed_hours * 3600),
            active_deadline_seconds=round(self.hours * 3600),
        )


@dataclass(frozen=True)
class CompileSettings:
    """All that differs between clusters in the compiled pipeline."""

    gpu: GpuNodes | None = GpuNodes()
    """Nodes for the steps with a GPU; None runs them without one."""
    resources: Mapping[str, Resources] = field(default_factory=lambda: RESOURCES)
    """Needs of each step by its name."""
    run: RunLimits = RunLimits()
    """Limits of a run as a whole."""
    secrets: Secrets = Secrets()
    """Secrets that steps read."""
    object_storage: ObjectStorage = ObjectStorage()
    """The service behind s3:// places."""
    cache_volume: str = ""
    """PersistentVolumeClaim that keeps the hub downloads of generate and train."""
    images: Mapping[str, str] = field(default_factory=dict)
    """Each image by digest, that of the predictor (`serve`) too; empty takes their plain names."""
    caching: bool = True
    """Skip a step that ran with the same inputs before."""
    retry: bool = True
    """Retry a step that fails."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Pipeline parameters that belong to the cluster; they replace those of a parameter set."""

    @property
    def serve_image(self) -> str:
        """Image of the predictor."""
        return locked(self.images, "serve") if self.images else DeploySettings.image

    @property
    def gpu_demand(self) -> dict[str, Any]:
        """The GPUs of the step that asks for most, as preflight takes it; empty if none does."""
        count = max(needs.gpus for needs in self.resources.values())
        if not self.gpu or not count:
            return {}
        return {
            "resource": self.gpu.resource,
            "count": count,
            "of_generate": self.resources["generate"].gpus,
            "node_selector": self.gpu.labels,
        }


PLAIN = CompileSettings()
"""Any cluster: GPUs by their usual name, no secrets and no volumes, s3:// is Amazon's."""


def read_settings(path: Path) -> CompileSettings:
    """Read the settings of a cluster.

    Args:
        path: YAML file with any of the keys in docs/pipeline.md; `steps` changes lines of the
            table in `pipelines/compile/resources.py`.

    Raises:
        InputError: If the file cannot be read, a key is unknown, or a value is refused.
    """
    content = read_mapping(path, "compile settings")
    for key in content:
        require_known(key, _KEYS, "compile setting")
    return CompileSettings(
        gpu=_gpu(content.get("gpu", {})),
        resources=_resources(require_mapping(content.get("steps", {}), "steps")),
        run=_group(RunLimits, content, "run"),
        secrets=_group(Secrets, content, "secrets"),
        object_storage=_group(ObjectStorage, content, "object_storage"),
        cache_volume=_cache_volume(content),
        parameters=require_mapping(content.get("parameters", {}), "parameters"),
    )


def _cache_volume(content: Mapping[str, Any]) -> str:
    name: str = of_type("cache_volume", content.get("cache_volume", ""), str)
    require_object_name("cache_volume", name)
    return name


def _gpu(given: Any) -> GpuNodes | None:
    return None if given is None else with_options(GpuNodes, require_mapping(given, "gpu"))


def _group(kind: type[Group], content: Mapping[str, Any], key: str) -> Group:
    return with_options(kind, require_mapping(content.get(key, {}), key))


def _resources(overrides: Mapping[str, Any]) -> dict[str, Resources]:
    for step in overrides:
        require_known(step, RESOURCES, "step")
    return {
        step: with_options(
            Resources, asdict(needs) | require_mapping(overrides.get(step, {}), step)
        )
        for step, needs in RESOURCES.items()
    }


def _check_toleration(toleration: Any) -> None:
    for key, value in require_mapping(toleration, "gpu.tolerations").items():
        require_known(key, _TOLERATION, "toleration")
        of_type(f"toleration {key}", value, str)
        if allowed := _TOLERATION[key]:
            require_one_of(f"toleration {key}", value, allowed)
