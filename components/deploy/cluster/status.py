"""The status that KServe gives a service.

`status.observedGeneration` is ignored: KServe copies it from the Knative Service or Deployment
that it created, so that it does not count the service's own generation. The pods tell which
revision the status is about (see `components.deploy.cluster.rollout`).

Source: InferenceServiceStatus in kserve/kserve, pkg/apis/serving/v1beta1, and its issue 6081.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlparse

from components.errors import RolloutError

CANARY_TAG = "latest"
"""Tag of the newest revision's own address, with KServe's tag routing."""

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
        unmet: The conditions that do not hold, with their reasons.
    """

    ready: bool
    created: str
    ready_revision: str
    shares: Mapping[str, int]
    up_to_date: bool
    stuck: str
    unmet: str

    def __str__(self) -> str:
        shares = ", ".join(f"{name} has {share} %" for name, share in self.shares.items() if name)
        words = [shares, self.unmet or ("ready" if self.ready else ""), self.stuck]
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
        unmet=", ".join(_unmet(each) for each in conditions.values() if each["status"] != "True"),
    )


def service_address(
    service: Mapping[str, Any], gateway: str = "", *, canary: bool = False
) -> ServiceAddress:
    """Read the address of a service.

    Args:
        service: The service as the server returned it.
        gateway: Base URL of the ingress gateway; empty for the service's own address.
        canary: True for the newest revision's own address.

    Raises:
        RolloutError: If the status names no address.
    """
    status = service.get("status") or {}
    if canary:
        traffic = status.get("components", {}).get("predictor", {}).get("traffic") or []
        urls = [each.get("url") for each in traffic if each.get("tag") == CANARY_TAG]
    elif gateway:
        urls = [status.get("url")]
    else:
        urls = [(status.get("address") or {}).get("url"), status.get("url")]
    for url in filter(None, urls):
        return ServiceAddress(gateway, urlparse(url).netloc) if gateway else ServiceAddress(url)
    rule = "has no address for its newest revision" if canary else "has no address"
    fix = "Look at the status with `kubectl get inferenceservice -o yaml`"
    raise RolloutError(f"service {service['metadata']['name']}", rule, fix)


def _unmet(condition: Mapping[str, Any]) -> str:
    words = [condition["type"], condition["status"], condition.get("reason", "")]
    return " ".join(filter(None, [*words, condition.get("message", "")]))


def _stuck(model: Mapping[str, Any]) -> str:
    state = model.get("transitionStatus", "")
    if state not in _STUCK:
        return ""
    failure = model.get("lastFailureInfo") or {}
    return " ".join(filter(None, [state, failure.get("reason"), failure.get("message")]))
