"""The InferenceService that a run has made, asked through the API server."""

import http.client
import json
from typing import Any

from kubernetes import client as kubernetes
from kubernetes.stream import portforward

from tests.kubeflow.target import SERVICES, Target

_PORT = 8080


def is_ready(target: Target) -> bool:
    """Tell whether KServe says that the service is ready."""
    service = kubernetes.CustomObjectsApi(target.kubernetes).get_namespaced_custom_object(
        *SERVICES, target.namespace, "inferenceservices", target.service
    )
    conditions = {each["type"]: each["status"] for each in service["status"]["conditions"]}
    return conditions["Ready"] == "True"


def predict(target: Target, texts: list[str]) -> list[dict[str, Any]]:
    """Ask a pod of the service, at a port that the API server forwards."""
    core = kubernetes.CoreV1Api(target.kubernetes)
    selector = f"serving.kserve.io/inferenceservice={target.service}"
    pods = core.list_namespaced_pod(target.namespace, label_selector=selector).items
    (pod, *_) = [each for each in pods if each.status.phase == "Running"]
    forward = portforward(
        core.connect_get_namespaced_pod_portforward,
        pod.metadata.name,
        target.namespace,
        ports=str(_PORT),
    )
    connection = http.client.HTTPConnection(pod.metadata.name, timeout=60)
    connection.sock = forward.socket(_PORT)
    body = json.dumps({"instances": texts})
    path = f"/v1/models/{target.service}:predict"
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    return list(json.loads(content)["predictions"])
