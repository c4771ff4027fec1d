"""The KServe InferenceService that serves a model on a cluster.

The predictor is a custom container, not `spec.predictor.model`: the latter takes its image
from a ServingRuntime, which an administrator would have to install on the cluster first.
For a custom container KServe reads the model's URI from the variable STORAGE_URI, downloads
it in an init container and mounts it at `/mnt/models`.

Source: CustomPredictor.GetStorageUri in kserve/kserve, pkg/apis/serving/v1beta1/predictor_custom.go
"""

from collections.abc import Mapping
from typing import Any

_MODEL_DIR = "/mnt/models"
_PORT = 8080
# KServe's own images run as this user, so whatever its init container downloads is readable.
_USER_ID = 1000
_CPUS = 1


def inference_service(
    service_name: str, model_uri: str, image: str, annotations: Mapping[str, str]
) -> dict[str, Any]:
    """The manifest, ready to be written as YAML.

    Args:
        service_name: Name of the service and of the model in its URLs.
        model_uri: Model folder, at a URI that KServe can download (gs://, s3://, pvc://...).
        image: Container image of the predictor.
        annotations: Facts about the model, by annotation key.
    """
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": service_name, "annotations": dict(annotations)},
        "spec": {
            "predictor": {
                "automountServiceAccountToken": False,
                "containers": [_container(service_name, _storage_uri(model_uri), image)],
            }
        },
    }


def _container(service_name: str, storage_uri: str, image: str) -> dict[str, Any]:
    return {
        # KServe finds the predictor among the pod's containers by this name.
        "name": "kserve-container",
        "image": image,
        "command": ["python", "-m", "components.serve"],
        "args": [
            f"--model-dir={_MODEL_DIR}",
            f"--model-name={service_name}",
            "--host=0.0.0.0",
            f"--http-port={_PORT}",
            # Unless told, ONNX Runtime starts a thread for each core of the node.
            f"--threads={_CPUS}",
        ],
        "env": [{"name": "STORAGE_URI", "value": storage_uri}],
        "ports": [{"containerPort": _PORT, "protocol": "TCP"}],
        "readinessProbe": _probe("/v2/health/ready", period_seconds=5),
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
        "httpGet": {"path": path, "port": _PORT},
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


def _storage_uri(model_uri: str) -> str:
    # KFP names its bundled S3-compatible store minio://, a scheme KServe does not know.
    scheme, separator, path = model_uri.partition("://")
    return f"s3://{path}" if separator and scheme == "minio" else model_uri
