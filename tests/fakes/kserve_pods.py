"""The pods and events of the stand-in for KServe's controller.

No kubelet runs them: their status is scripted. That the predictor starts with the command of the
service is shown by tests/manifests/test_inference_service.py, in its image by tests/images, under
a kubelet by tests/cluster/real.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client

FAILURE = "model folder /mnt/models has no manifest.json"
_WAITING = {
    "crash": ("CrashLoopBackOff", "back-off 40s restarting failed container"),
    "image": ("ImagePullBackOff", 'Back-off pulling image "emotion-pipeline:0.1.0"'),
}


@dataclass(frozen=True)
class Play:
    """The script of a model.

    Args:
        url: Address of the process that really serves it.
        ends: `ready`, `never` (its pod stays unready), `blocked` (it cannot be loaded, and its
            pods are gone), `crash` or `image` (as a kubelet reports it).
        stale_seconds: Time for which the status still describes the state before.
        ready_seconds: Time that its pod takes after that.
    """

    url: str = ""
    ends: str = "ready"
    stale_seconds: float = 0.0
    ready_seconds: float = 0.0


@dataclass
class Revision:
    name: str
    template: dict[str, Any]
    play: Play
    began: float = field(default_factory=time.monotonic)

    @property
    def seen(self) -> bool:
        return time.monotonic() - self.began >= self.play.stale_seconds

    @property
    def ready(self) -> bool:
        waited = time.monotonic() - self.began - self.play.stale_seconds
        return self.play.ends == "ready" and waited >= self.play.ready_seconds


class Pods:
    """The pods of a namespace.

    Args:
        api: A client with all rights.
        namespace: The namespace.
    """

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._core, self._namespace = client.CoreV1Api(api), namespace

    def sync(self, name: str, revisions: Sequence[Revision]) -> None:
        """Create and delete pods so that exactly these revisions of a service have one."""
        wanted = {f"{each.name}-pod": each for each in revisions if each.play.ends != "blocked"}
        selector = f"serving.kserve.io/inferenceservice={name}"
        present = self._core.list_namespaced_pod(self._namespace, label_selector=selector)
        for pod in present.items:
            if pod.metadata.name not in wanted:
                self._core.delete_namespaced_pod(
                    pod.metadata.name, self._namespace, grace_period_seconds=0
                )
        names = {pod.metadata.name for pod in present.items}
        for pod_name, revision in wanted.items():
            if pod_name not in names:
                self._create(name, pod_name, revision)
            body = {"status": _pod_status(revision)}
            self._core.patch_namespaced_pod_status(pod_name, self._namespace, body)

    def _create(self, name: str, pod_name: str, revision: Revision) -> None:
        predictor = revision.template["predictor"]
        labels = {"serving.kserve.io/inferenceservice": name, **predictor.get("labels", {})}
        labels["serving.knative.dev/revision"] = revision.name
        (container,) = predictor["containers"]
        spec = {"containers": [{"name": container["name"], "image": container["image"]}]}
        metadata = {"name": pod_name, "labels": labels}
        self._core.create_namespaced_pod(self._namespace, {"metadata": metadata, "spec": spec})
        if revision.play.ends in _WAITING:
            reason, message = _WAITING[revision.play.ends]
            about = {"kind": "Pod", "name": pod_name, "namespace": self._namespace}
            event = {
                "metadata": {"generateName": pod_name},
                "involvedObject": about,
                "type": "Warning",
                "reason": reason,
                "message": message,
            }
            self._core.create_namespaced_event(self._namespace, event)


def _pod_status(revision: Revision) -> dict[str, Any]:
    ready = "True" if revision.ready else "False"
    state: dict[str, Any] = {"state": {"running": {}}}
    if revision.play.ends in _WAITING:
        reason, message = _WAITING[revision.play.ends]
        state = {"state": {"waiting": {"reason": reason, "message": message}}}
    if revision.play.ends == "crash":
        ended = {"exitCode": 1, "reason": "Error", "message": FAILURE}
        state["lastState"] = {"terminated": ended}
    container = {"name": "kserve-container", "image": "x", "imageID": "", "restartCount": 0}
    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": ready}],
        "containerStatuses": [{**container, "ready": revision.ready, **state}],
    }
