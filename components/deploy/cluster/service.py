"""A service in the cluster: its status, its address, and the part of it that this project set.

`status.observedGeneration` is ignored: KServe copies it from the Knative Service or Deployment
that it created, so that it does not count the service's own generation. The pods tell which
revision the status is about (see `components.deploy.cluster.rollout`).

Source: InferenceServiceStatus in kserve/kserve, pkg/apis/serving/v1beta1, and its issue 6081.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlparse

from components.deploy.cluster.api import FIELD_MANAGER
from components.deploy.cluster.pods import last_line
from components.deploy.inference_service import CANDIDATE, Manifest
from components.errors import InputError, RolloutError

CANARY_TAG = "latest"
"""Tag of the newest revision's own address, with KServe's tag routing."""

_STOPPED = "Stopped"
"""The one condition of KServe that is False when all is well."""
_STUCK = {"BlockedByFailedLoad", "InvalidSpec"}


@dataclass(frozen=True)
class ServiceStatus:
    """The status of an InferenceService.

    Args:
        ready: Value of the condition Ready.
        created: Newest revision; empty in Standard mode.
        ready_revision: Newest revision that has become ready; empty in Standard mode.
        shares: Percent of the traffic by revision; empty in Standard mode.
        up_to_date: True if KServe considers the loaded model the requested one.
        stuck: Reason why the model cannot be loaded; empty as long as it may load.
        unmet: The conditions that are not as they should be, with their reasons.
        address: Where the service answers; empty as long as it does not say.
        has_candidate: True if a second predictor in Standard mode is ready.
    """

    ready: bool
    created: str
    ready_revision: str
    shares: Mapping[str, int]
    up_to_date: bool
    stuck: str
    unmet: str
    address: str = ""
    has_candidate: bool = False

    def __str__(self) -> str:
        shares = ", ".join(f"{name} has {share} %" for name, share in self.shares.items() if name)
        ready = _joined("ready", self.address and f"at {self.address}") if self.ready else ""
        words = [shares, ready, self.unmet, self.stuck]
        return "; ".join(filter(None, words)) or "no status yet"


@dataclass(frozen=True)
class ServiceAddress:
    """The address at which a model answers.

    Args:
        url: Base URL to send requests to.
        host: Value of their header Host, by which a gateway finds the service; empty for the
            URL's own.
    """

    url: str
    host: str = ""


def read_status(service: Mapping[str, Any] | None) -> ServiceStatus:
    """Read the status of a service as the server returned it; empty if there is none yet."""
    status = (service or {}).get("status") or {}
    predictor = (status.get("components") or {}).get("predictor") or {}
    model = status.get("modelStatus") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or []}
    shares: dict[str, int] = {}
    for target in predictor.get("traffic") or []:
        name = target.get("revisionName", "")
        shares[name] = shares.get(name, 0) + int(target.get("percent") or 0)
    return ServiceStatus(
        ready=conditions.get("Ready", {}).get("status") == "True",
        created=predictor.get("latestCreatedRevision", ""),
        ready_revision=predictor.get("latestReadyRevision", ""),
        shares=shares,
        up_to_date=model.get("transitionStatus") == "UpToDate",
        stuck=_stuck(model),
        unmet=", ".join(_named(each) for each in conditions.values() if _is_unmet(each)),
        address=str((status.get("address") or status).get("url") or ""),
        has_candidate=any(
            each["name"] == CANDIDATE and each["ready"]
            for each in status.get("canaryStatuses") or []
        ),
    )


def service_address(
    service: Mapping[str, Any], gateway: str = "", *, canary: bool = False
) -> ServiceAddress:
    """Read the address of a service.

    Args:
        service: The service as the server returned it.
        gateway: Base URL of the ingress gateway; empty for the service's own address.
        canary: True for the own address of the newest revision, or of the candidate.

    Raises:
        RolloutError: If the status names no address.
    """
    status = service.get("status") or {}
    urls: list[str | None]
    if canary and "canary" in service.get("spec", {}):
        # No gateway has a route to it alone.
        gateway, urls = "", [_candidate_url(service)]
    elif canary:
        urls = _revision_urls(status, within=not gateway)
    elif gateway:
        urls = [status.get("url")]
    else:
        urls = [(status.get("address") or {}).get("url"), status.get("url")]
    for url in filter(None, urls):
        return ServiceAddress(gateway, urlparse(url).netloc) if gateway else ServiceAddress(url)
    rule = "has no address for its newest revision" if canary else "has no address"
    fix = "Look at the status with `kubectl get inferenceservice -o yaml`"
    raise RolloutError(f"service {service['metadata']['name']}", rule, fix)


def recorded(service: Mapping[str, Any] | None) -> Manifest | None:
    """Read the part of a service that this project set, as a manifest that restores it.

    Server-side apply records the owner of each field. Only the fields of this project are read, so
    that restoring them leaves alone what a person or a controller has set in addition.

    Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/ and, for the notation,
    FieldsV1 in https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.30/

    Args:
        service: The service as the server returned it; None if there is none.

    Returns:
        None if there is no service.

    Raises:
        InputError: If the service was not created by this project.
    """
    if service is None:
        return None
    metadata = service["metadata"]
    ours = [
        entry["fieldsV1"]
        for entry in metadata.get("managedFields", [])
        if entry["manager"] == FIELD_MANAGER and entry["operation"] == "Apply"
    ]
    if not ours or "f:spec" not in ours[0]:
        rule = "already exists, and was not created by this project"
        fix = "Choose another service_name, or remove that service"
        raise InputError(f"service {metadata['name']}", rule, fix)
    fields = {key: ours[0][key] for key in ("f:metadata", "f:spec") if key in ours[0]}
    manifest: Manifest = {key: service[key] for key in ("apiVersion", "kind")}
    manifest |= {"metadata": {}} | _owned(service, fields)
    manifest["metadata"]["name"] = metadata["name"]
    return manifest


def _candidate_url(service: Mapping[str, Any]) -> str:
    """The address of the Service that KServe gives a second predictor, within the cluster.

    Source: PredictorServiceName in kserve/kserve, pkg/constants/constants.go
    """
    name, url = service["metadata"]["name"], read_status(service).address
    first, second = f"//{name}-predictor.", f"//{name}-{CANDIDATE}-predictor."
    return url.replace(first, second) if first in url else ""


def _revision_urls(status: Mapping[str, Any], *, within: bool) -> list[str | None]:
    """The addresses of the newest revision; within the cluster, or as the gateway knows it.

    Knative gives a tagged revision a Service of its own, whose name is that of the whole after the
    tag. Its address in the traffic of the status is for clients outside.

    Source: MakeK8sPlaceholderService in knative/serving, pkg/reconciler/route/resources
    """
    predictor = (status.get("components") or {}).get("predictor") or {}
    traffic = predictor.get("traffic") or []
    tagged = [each["url"] for each in traffic if each.get("tag") == CANARY_TAG and "url" in each]
    whole = (predictor.get("address") or {}).get("url") if within and tagged else ""
    return [whole.replace("://", f"://{CANARY_TAG}-"), *tagged] if whole else tagged


def _is_unmet(condition: Mapping[str, Any]) -> bool:
    return bool(condition["status"] != ("False" if condition["type"] == _STOPPED else "True"))


def _named(condition: Mapping[str, Any]) -> str:
    words = (condition["type"], condition["status"])
    return _joined(*words, condition.get("reason"), last_line(condition.get("message")))


def _stuck(model: Mapping[str, Any]) -> str:
    state = model.get("transitionStatus", "")
    if state not in _STUCK:
        return ""
    failure = model.get("lastFailureInfo") or {}
    return _joined(state, failure.get("reason"), last_line(failure.get("message")))


def _owned(value: Any, fields: Mapping[str, Any]) -> Any:
    inner = {key: below for key, below in fields.items() if key != "."}
    if not inner:
        return value
    if isinstance(value, list):
        return [
            _owned(item, below)
            for key, below in inner.items()
            for item in value
            if _names(key, item)
        ]
    names = {key.removeprefix("f:"): below for key, below in inner.items()}
    return {name: _owned(value[name], below) for name, below in names.items() if name in value}


def _names(key: str, item: Any) -> bool:
    """Tell whether a key such as `k:{"name":"x"}` or `v:"x"` denotes this item of a list."""
    kind, _, text = key.partition(":")
    wanted = json.loads(text)
    if kind == "v":
        return bool(item == wanted)
    return all(item.get(name) == value for name, value in wanted.items())


def _joined(*words: str | None) -> str:
    return " ".join(filter(None, words))
