"""A stand-in for KServe's controller in Knative mode, and for faults that a script decides on.

It reads InferenceServices from a real API server and writes pods, events and the status as KServe
does; a script says what happens to each model. It cannot show that KServe itself accepts the
service and reports what is scripted here: tests/cluster/real shows that with KServe's own
controller in Standard mode. For Knative, whose programs are no package, nothing does but a real
Kubeflow (`make test-kubeflow`); `tests/manifests` checks the service against KServe's own schema.

Source: createKnativeService (reconcilers/knative/ksvc_reconciler.go), PropagateStatus,
PropagateRawStatus and PropagateModelStatus (apis/serving/v1beta1/inference_service_status.go) in
kserve/kserve.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from tests.fakes.kserve_pods import FAILURE, Play, Pods, Revision

_KIND = ("serving.kserve.io", "v1beta1")
_PLURAL = "inferenceservices"


@dataclass
class _Service:
    """The controller's knowledge of a service: its revisions, and the counter of its child."""

    revisions: list[Revision] = field(default_factory=list)
    generation: int = 0
    traffic: list[dict[str, Any]] = field(default_factory=list)
    rolled_out: str = ""
    previously: str = ""
    failure: dict[str, Any] = field(default_factory=dict)


class KServeController(threading.Thread):
    """Plays KServe's controller in one namespace until it is stopped.

    Args:
        api: A client with all rights.
        namespace: The namespace.
        plays: The script of each model, by its URI.
    """

    def __init__(self, api: client.ApiClient, namespace: str, plays: Mapping[str, Play]) -> None:
        super().__init__(daemon=True)
        self._objects, self._pods = client.CustomObjectsApi(api), Pods(api, namespace)
        self._namespace, self.plays = namespace, dict(plays)
        self._services: dict[str, _Service] = {}
        self._stopping = threading.Event()
        self.errors: list[Exception] = []

    def stop(self) -> None:
        """Stop, and wait for the end of the thread."""
        self._stopping.set()
        self.join(30)

    def run(self) -> None:
        """Reconcile until it is stopped."""
        while not self._stopping.wait(0.1):
            try:
                listed = self._objects.list_namespaced_custom_object(
                    *_KIND, self._namespace, _PLURAL, _request_timeout=5
                )
                for service in listed["items"]:
                    self._reconcile(service)
                # Kubernetes' garbage collector takes the pods of a service that is gone.
                for name in self._services.keys() - _names(listed["items"]):
                    del self._services[name]
                    self._pods.sync(name, [])
            except HTTPError:
                pass  # the API server is away
            except ApiException as error:
                # Another client was faster, or the API server is restarting.
                if error.status not in {403, 404, 409, 429, 500, 503}:
                    self.errors.append(error)

    def _reconcile(self, service: dict[str, Any]) -> None:
        name, annotations = service["metadata"]["name"], service["metadata"]["annotations"]
        known = self._services.setdefault(name, _Service())
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
        known.revisions.append(Revision(name, template, self.plays[uri]))

    def _standard(self, service: dict[str, Any], known: _Service, latest: Revision) -> None:
        old = [each for each in known.revisions[:-1] if each.ready][-1:]
        self._pods.sync(service["metadata"]["name"], [latest] if latest.ready else [*old, latest])
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

    def _knative(self, service: dict[str, Any], known: _Service, latest: Revision) -> None:
        ready = [each for each in known.revisions if each.ready]
        self._route(known, service["spec"]["predictor"].get("canaryTrafficPercent"), latest, ready)
        by_name = {each.name: each for each in known.revisions}
        routed = [by_name[each["revisionName"]] for each in known.traffic]
        live = list({each.name: each for each in [*routed, latest]}.values())
        self._pods.sync(service["metadata"]["name"], live)
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
        known: _Service, canary: int | None, latest: Revision, ready: list[Revision]
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
            # A canary of the revision that has all the traffic means a return to the one before.
            known.rolled_out = known.previously

    def _write(self, service: dict[str, Any], status: dict[str, Any]) -> None:
        if service.get("status") == status:
            return
        name = service["metadata"]["name"]
        body = {**service, "status": status}
        self._objects.replace_namespaced_custom_object_status(
            *_KIND, self._namespace, _PLURAL, name, body
        )


def _names(services: list[dict[str, Any]]) -> set[str]:
    return {each["metadata"]["name"] for each in services}


def _condition(kind: str, status: str) -> dict[str, Any]:
    reason = {} if status == "True" else {"reason": "RevisionMissing"}
    return {"type": kind, "status": status, **reason}


def _model_status(known: _Service, latest: Revision) -> dict[str, Any]:
    if latest.play.ends in {"blocked", "crash"}:
        # It stays in the status after a later model has been loaded.
        known.failure = {"reason": "ModelLoadFailed", "message": FAILURE, "exitCode": 1}
        transition = "BlockedByFailedLoad"
    else:
        transition = "UpToDate" if latest.ready else "InProgress"
    failure = {"lastFailureInfo": known.failure} if known.failure else {}
    return {"transitionStatus": transition, **failure}
