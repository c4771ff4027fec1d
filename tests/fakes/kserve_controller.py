"""A stand-in for KServe's controller, the one part of a cluster that cannot run here.

It reads InferenceServices from a real API server and writes back pods, events and the status as
KServe does. What happens to each model is played from a script.

Source: createKnativeService (reconcilers/knative/ksvc_reconciler.go), PropagateStatus,
PropagateRawStatus and PropagateModelStatus (apis/serving/v1beta1/inference_service_status.go) in
kserve/kserve.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

_KIND = ("serving.kserve.io", "v1beta1")
_PLURAL = "inferenceservices"
_FAILURE = "model folder /mnt/models has no manifest.json"
_WAITING = {
    "crash": ("CrashLoopBackOff", "back-off 40s restarting failed container"),
    "image": ("ImagePullBackOff", 'Back-off pulling image "emotion-pipeline:0.1.0"'),
}


@dataclass(frozen=True)
class Play:
    """What happens to a model.

    Args:
        url: Where the predictor that serves it really answers.
        ends: `ready`, `never` (its pod stays unready), `blocked` (it cannot be loaded, and its
            pods are gone), `crash` or `image` (as a kubelet reports it).
        stale_seconds: How long the status goes on speaking of what was there before.
        ready_seconds: How long its pod takes after that.
    """

    url: str = ""
    ends: str = "ready"
    stale_seconds: float = 0.0
    ready_seconds: float = 0.0


@dataclass
class _Revision:
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


@dataclass
class _Service:
    """What the controller knows of one service: its revisions, and the counter of its child."""

    revisions: list[_Revision] = field(default_factory=list)
    generation: int = 0
    traffic: list[dict[str, Any]] = field(default_factory=list)
    rolled_out: str = ""
    previously: str = ""
    failure: dict[str, Any] = field(default_factory=dict)


class KServeController(threading.Thread):
    """Plays KServe's controller in one namespace until it is stopped.

    Args:
        api: A client that may do everything.
        namespace: The namespace.
        plays: What happens to each model, by its URI.
    """

    def __init__(self, api: client.ApiClient, namespace: str, plays: Mapping[str, Play]) -> None:
        super().__init__(daemon=True)
        self._objects, self._core = client.CustomObjectsApi(api), client.CoreV1Api(api)
        self._namespace, self.plays = namespace, dict(plays)
        self._services: dict[str, _Service] = {}
        self._stopping = threading.Event()
        self.errors: list[Exception] = []

    def stop(self) -> None:
        """Stop, and wait until it has."""
        self._stopping.set()
        self.join(30)

    def run(self) -> None:
        """Reconcile again and again."""
        while not self._stopping.wait(0.1):
            try:
                listed = self._objects.list_namespaced_custom_object(
                    *_KIND, self._namespace, _PLURAL, _request_timeout=5
                )
                for service in listed["items"]:
                    self._reconcile(service)
            except HTTPError:
                pass  # the API server is away
            except ApiException as error:
                # Somebody was faster, or the API server is coming up again.
                if error.status not in {403, 404, 409, 429, 500, 503}:
                    self.errors.append(error)

    def _reconcile(self, service: dict[str, Any]) -> None:
        name, annotations = service["metadata"]["name"], service["metadata"]["annotations"]
        known = self._services.setdefault(name, _Service())
        if annotations.get("serving.kserve.io/stop") == "true":
            known.revisions.clear()
            self._sync_pods(name, [])
            stopped = {"type": "Stopped", "status": "True", "reason": "Stopped"}
            ready = {"type": "Ready", "status": "False", "reason": "Stopped"}
            self._write(service, {"conditions": [ready, stopped], "components": {}})
            return
        self._observe(known, service)
        latest = known.revisions[-1]
        if not latest.seen:
            return
        if annotations["serving.kserve.io/deploymentMode"] == "Standard":
            self._standard(service, known, latest)
        else:
            self._knative(service, known, latest)

    def _observe(self, known: _Service, service: dict[str, Any]) -> None:
        predictor = dict(service["spec"]["predictor"])
        predictor.pop("canaryTrafficPercent", None)
        template = {"predictor": predictor, "annotations": service["metadata"]["annotations"]}
        if known.revisions and known.revisions[-1].template == template:
            return
        known.generation += 1
        (container,) = predictor["containers"]
        uri = next(each["value"] for each in container["env"] if each["name"] == "STORAGE_URI")
        name = f"{service['metadata']['name']}-predictor-{known.generation:05}"
        known.revisions.append(_Revision(name, template, self.plays[uri]))

    def _standard(self, service: dict[str, Any], known: _Service, latest: _Revision) -> None:
        old = [each for each in known.revisions[:-1] if each.ready][-1:]
        self._sync_pods(service["metadata"]["name"], [latest] if latest.ready else [*old, latest])
        url = (latest if latest.ready else (old or [latest])[-1]).play.url
        # A rolling update goes on while the old pods still answer: KServe says Ready for that.
        ready = "True" if latest.ready or old else "False"
        conditions = [_condition(kind, ready) for kind in ("PredictorReady", "IngressReady")]
        blocked = _model_status(known, latest)
        self._write(
            service,
            {
                "observedGeneration": known.generation,
                "conditions": [*conditions, _condition("Ready", ready)],
                "url": url,
                "address": {"url": url},
                "components": {"predictor": {"url": url}},
                "deploymentMode": "Standard",
                "modelStatus": {"transitionStatus": "UpToDate"} if ready == "True" else blocked,
            },
        )

    def _knative(self, service: dict[str, Any], known: _Service, latest: _Revision) -> None:
        ready = [each for each in known.revisions if each.ready]
        self._route(known, service["spec"]["predictor"].get("canaryTrafficPercent"), latest, ready)
        by_name = {each.name: each for each in known.revisions}
        routed = [by_name[each["revisionName"]] for each in known.traffic]
        live = list({each.name: each for each in [*routed, latest]}.values())
        self._sync_pods(service["metadata"]["name"], live)
        shares = [
            (each["percent"], by_name[each["revisionName"]].play.url) for each in known.traffic
        ]
        url = max(shares)[1] if shares else ""
        state = "True" if latest.ready else "False" if latest.play.ends != "never" else "Unknown"
        kinds = ["PredictorReady", "PredictorConfigurationReady", "LatestDeploymentReady", "Ready"]
        conditions = [_condition(kind, state) for kind in kinds]
        conditions += [_condition(kind, "True") for kind in ("IngressReady", "RoutesReady")]
        revisions = {
            "latestCreatedRevision": latest.name,
            "latestReadyRevision": ready[-1].name if ready else "",
            "latestRolledoutRevision": known.rolled_out,
            "previousRolledoutRevision": known.previously,
        }
        predictor: dict[str, Any] = {key: name for key, name in revisions.items() if name}
        predictor["traffic"] = [
            {**each, "url": by_name[each["revisionName"]].play.url} for each in known.traffic
        ]
        status = {
            # The counter of the Knative Service, not of the InferenceService.
            "observedGeneration": known.generation,
            "conditions": conditions,
            "components": {"predictor": predictor},
            "deploymentMode": "Knative",
            "modelStatus": _model_status(known, latest),
        }
        self._write(service, status | ({"url": url, "address": {"url": url}} if url else {}))

    @staticmethod
    def _route(
        known: _Service, canary: int | None, latest: _Revision, ready: list[_Revision]
    ) -> None:
        """Split the traffic as KServe asks Knative to, and note what is rolled out."""
        if not ready:
            known.traffic = []
            return
        newest = ready[-1].name
        split = canary is not None and known.rolled_out
        percent = canary if split else 100
        tag = {"tag": "latest", "latestRevision": True}
        known.traffic = [{"revisionName": newest, "percent": percent, **tag}]
        if split and percent < 100:
            rest = {"revisionName": known.rolled_out, "percent": 100 - percent, "tag": "prev"}
            known.traffic.append({**rest, "latestRevision": False})
        if known.rolled_out != newest:
            if percent == 100:
                known.previously, known.rolled_out = known.rolled_out, newest
        elif newest == latest.name and percent < 100 and known.previously:
            # A canary of what has all the traffic is taken for the wish to go back before it.
            known.rolled_out = known.previously

    def _sync_pods(self, name: str, revisions: list[_Revision]) -> None:
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
                self._create_pod(name, pod_name, revision)
            body = {"status": _pod_status(revision)}
            self._core.patch_namespaced_pod_status(pod_name, self._namespace, body)

    def _create_pod(self, name: str, pod_name: str, revision: _Revision) -> None:
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

    def _write(self, service: dict[str, Any], status: dict[str, Any]) -> None:
        if service.get("status") == status:
            return
        name = service["metadata"]["name"]
        body = {**service, "status": status}
        self._objects.replace_namespaced_custom_object_status(
            *_KIND, self._namespace, _PLURAL, name, body
        )


def _condition(kind: str, status: str) -> dict[str, Any]:
    reason = {} if status == "True" else {"reason": "RevisionMissing"}
    return {"type": kind, "status": status, **reason}


def _model_status(known: _Service, latest: _Revision) -> dict[str, Any]:
    if latest.play.ends in {"blocked", "crash"}:
        # It stays in the status when a later model has been loaded.
        known.failure = {"reason": "ModelLoadFailed", "message": _FAILURE, "exitCode": 1}
        transition = "BlockedByFailedLoad"
    else:
        transition = "UpToDate" if latest.ready else "InProgress"
    failure = {"lastFailureInfo": known.failure} if known.failure else {}
    return {"transitionStatus": transition, **failure}


def _pod_status(revision: _Revision) -> dict[str, Any]:
    ready = "True" if revision.ready else "False"
    state: dict[str, Any] = {"state": {"running": {}}}
    if revision.play.ends in _WAITING:
        reason, message = _WAITING[revision.play.ends]
        state = {"state": {"waiting": {"reason": reason, "message": message}}}
    if revision.play.ends == "crash":
        ended = {"exitCode": 1, "reason": "Error", "message": _FAILURE}
        state["lastState"] = {"terminated": ended}
    container = {"name": "kserve-container", "image": "x", "imageID": "", "restartCount": 0}
    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": ready}],
        "containerStatuses": [{**container, "ready": revision.ready, **state}],
    }
