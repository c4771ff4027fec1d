"""The KServe InferenceService that serves a model on a cluster.

The predictor is a custom container, not `spec.predictor.model`, which takes its image from a
ServingRuntime that an administrator would have to install on the cluster first. For a custom
container KServe reads the model's URI from the variable STORAGE_URI, downloads it in an init
container and mounts it at `/mnt/models`.

Source: CustomPredictor.GetStorageUri in kserve/kserve, pkg/apis/serving/v1beta1/predictor_custom.go
"""

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from components.artifacts.model.version import model_version
from components.artifacts.model_image import NATIVE
from components.artifacts.signatures import ANYBODY, Trust
from components.errors import InputError

Manifest = dict[str, Any]

RELEASE = "emotion-pipeline/release"
"""Label of the predictor's pods that identifies what each serves."""
FACT = "emotion-pipeline/{}"
"""Annotation with a fact about the model."""
KNATIVE, STANDARD = "Knative", "Standard"
"""KServe's deployment modes: with Knative's revisions, or as a plain Deployment."""
AUTO = "auto"
"""The mode that suits the cluster; a manifest leaves it to KServe."""
PORT = 8080
"""TCP port of HTTP in the predictor's pods."""
CANDIDATE = "candidate"
"""Name of the second predictor of a service in Standard mode: KServe puts it into the names of the
predictor's Deployment and Service."""
SCALING = ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "autoScaling")
"""A predictor's fields about the number of its pods."""

_RUN = FACT.format("run")
_MODE = "serving.kserve.io/deploymentMode"
_TAGS = "serving.kserve.io/enable-tag-routing"
_STOP = "serving.kserve.io/stop"
_MODEL_DIR = "/mnt/models"
_GRPC_PORT = 8081
# Shipped by manifests/base: the predictor's account, and the container that downloads its model,
# since KServe's own lacks a security context (kserve/kserve#5373).
_ACCOUNT = "predictor"
_STORAGE_CONTAINER = "emotion-storage"
# Longer than the predictor may take to stop: --drain-seconds, then --shutdown-seconds twice.
_GRACE_SECONDS = 40
# KServe's own images run as this user, so that the downloaded files are readable.
_USER_ID = 1000
_CPUS = 1
# The schemes that KServe's storage initializer downloads from.
_DOWNLOADABLE = re.compile(r"(gs|s3|minio|pvc|hf|https?|hdfs|webhdfs|oci)://.+")


def inference_service(
    service_name: str,
    model_uri: str,
    image: str,
    annotations: Mapping[str, str],
    mode: str = AUTO,
    labels: Mapping[str, str] = MappingProxyType({}),
    trust: Trust = ANYBODY,
) -> Manifest:
    """Build the manifest, ready to be written as YAML.

    Its predictor's pods carry a label computed from the whole manifest, which distinguishes
    them from the pods of any other. Nothing in it may change while it is in service: KServe copies
    annotations and labels to the pods, so that each change of them starts new ones.

    Args:
        service_name: Name of the service and of the model in its URLs.
        model_uri: Model folder that KServe can download (gs://, s3://, pvc://...), or an image.
        image: Container image of the predictor.
        annotations: Facts about the model, by annotation key.
        mode: `Knative`, `Standard`, or `auto` for what KServe is installed with; a manifest for
            either has nothing that only one of them takes.
        labels: Labels of the service.
        trust: Whose signature the predictor demands of the model.
    """
    routing = {} if mode == AUTO else {_MODE: mode}
    routing |= {_TAGS: "true"} if mode == KNATIVE else {}
    # KFP calls its bundled S3-compatible store minio://, a scheme that KServe does not know.
    storage_uri = re.sub("^minio://", "s3://", model_uri)
    container = _container(service_name, storage_uri, image, annotations.get(_RUN, ""))
    predictor: dict[str, Any] = {
        "serviceAccountName": _ACCOUNT,
        "automountServiceAccountToken": False,
        "containers": [container],
    }
    # KServe refuses a container that does not know the scheme, though an image needs none.
    if not storage_uri.startswith(NATIVE):
        predictor["storageContainerName"] = _STORAGE_CONTAINER
    if mode == STANDARD:
        _add_standard_fields(predictor)
    if trust.demands:
        _demand_signature(predictor, trust)
    service: Manifest = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": service_name, "annotations": {**annotations, **routing}},
        "spec": {"predictor": predictor},
    }
    if labels:
        service["metadata"]["labels"] = dict(labels)
    content = json.dumps(service, sort_keys=True).encode()
    predictor["labels"] = {RELEASE: hashlib.sha256(content).hexdigest()[:16]}
    return service


def require_downloadable(model_uri: str) -> None:
    """Refuse a model folder that no pod of a cluster could download.

    Raises:
        InputError: If KServe cannot download from there.
    """
    if not _DOWNLOADABLE.fullmatch(model_uri):
        rule = "is not a place that KServe downloads from"
        raise InputError(f"model URI {model_uri!r}", rule, "Set a registry such as gs://bucket/dir")


def release_of(manifest: Manifest) -> str:
    """Read the label of a manifest's pods; empty if this project did not create it."""
    return str(manifest["spec"]["predictor"].get("labels", {}).get(RELEASE, ""))


def mode_of(manifest: Mapping[str, Any]) -> str:
    """Read the deployment mode of a manifest; empty if it is left to the cluster."""
    return str(manifest["metadata"].get("annotations", {}).get(_MODE, ""))


def facts_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Read the facts about a service's model from its annotations, by name."""
    prefix = FACT.format("")
    notes = manifest["metadata"].get("annotations", {})
    return {key.removeprefix(prefix): notes[key] for key in notes if key.startswith(prefix)}


def version_of(manifest: Manifest) -> str:
    """Build the version that the predictor of a manifest answers, told its run as it is there."""
    facts = facts_of(manifest)
    return model_version(facts["run"], facts["model-sha256"])


def with_canary(manifest: Manifest, percent: int) -> Manifest:
    """Copy a service, limited to a percentage of the traffic; the rest stays where it is."""
    canary = copy.deepcopy(manifest)
    canary["spec"]["predictor"]["canaryTrafficPercent"] = percent
    return canary


def with_candidate(manifest: Manifest, new: Manifest, percent: int) -> Manifest:
    """Copy a service in Standard mode, with another one's predictor beside its own.

    Source: CanarySpec and validateCanarySpecs in kserve/kserve, pkg/apis/serving/v1beta1

    Args:
        manifest: The service in place, which stays as it is.
        new: The service whose predictor joins it.
        percent: Its percentage of the traffic, as far as the cluster's gateway routes it.
    """
    both = copy.deepcopy(manifest)
    predictor = {"name": CANDIDATE, **copy.deepcopy(new["spec"]["predictor"])}
    # KServe gives a candidate a fixed number of pods, and refuses any other.
    predictor = {name: value for name, value in predictor.items() if name not in SCALING}
    if not percent:
        # KServe gives it the same share of the pods, and therefore none of them.
        predictor["minReplicas"] = 1
    both["spec"]["canary"] = [{"predictor": predictor, "trafficPercent": percent}]
    return both


def is_stopped(manifest: Mapping[str, Any]) -> bool:
    """Tell whether a service is to have nothing running.

    Source: StopAnnotationKey in kserve/kserve, pkg/constants/constants.go
    """
    return bool(manifest["metadata"].get("annotations", {}).get(_STOP) == "true")


def _add_standard_fields(predictor: dict[str, Any]) -> None:
    """Add a second port and a grace period, which Knative refuses."""
    predictor["terminationGracePeriodSeconds"] = _GRACE_SECONDS
    (container,) = predictor["containers"]
    container["args"].append(f"--grpc-port={_GRPC_PORT}")
    # KServe creates a Service with both ports, which therefore need names.
    container["ports"] = [
        {"name": "http", "containerPort": PORT, "protocol": "TCP"},
        {"name": "grpc", "containerPort": _GRPC_PORT, "protocol": "TCP"},
    ]


def _demand_signature(predictor: dict[str, Any], trust: Trust) -> None:
    (container,) = predictor["containers"]
    given = {name.replace("_", "-"): value for name, value in asdict(trust).items() if value}
    container["args"] += [f"--{name}={value}" for name, value in given.items()]
    if trust.signer_identity:
        # For the keys that Sigstore's client fetches.
        predictor["volumes"] = [{"name": "tmp", "emptyDir": {}}]
        container["volumeMounts"] = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108


def _container(service_name: str, storage_uri: str, image: str, run_id: str) -> dict[str, Any]:
    return {
        # KServe finds the predictor among the pod's containers by this name.
        "name": "kserve-container",
        "image": image,
        "command": ["python", "-m", "components.serve"],
        "args": [
            f"--model-dir={_MODEL_DIR}",
            f"--model-name={service_name}",
            "--host=::",
            f"--http-port={PORT}",
            f"--run-id={run_id}",
        ],
        "env": [{"name": "STORAGE_URI", "value": storage_uri}],
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": {**_probe("/v2/health/ready", period_seconds=5), "failureThreshold": 2},
        "livenessProbe": {
            **_probe("/v2/health/live", period_seconds=10),
            "initialDelaySeconds": 30,
        },
        "resources": {
            "requests": {"cpu": "500m", "memory": "512Mi"},
            "limits": {"cpu": str(_CPUS), "memory": "1Gi"},
        },
        "securityContext": _security_context(),
    }


def _probe(path: str, period_seconds: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": PORT},
        "periodSeconds": period_seconds,
        "timeoutSeconds": 2,
    }


def _security_context() -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": _USER_ID,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
