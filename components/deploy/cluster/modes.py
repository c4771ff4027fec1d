"""What KServe can do in a cluster: modes, autoscalers, a second predictor beside the first."""

from collections.abc import Mapping
from typing import Any

from components.deploy.cluster.api import SERVICES, Cluster
from components.deploy.cluster.service import recorded
from components.deploy.inference_service import AUTO, KNATIVE, STANDARD, is_stopped, mode_of
from components.deploy.scaling import HPA, KEDA, QUEUE, autoscaler_of
from components.deploy.settings import DeploySettings
from components.errors import InputError

METRICS = "/apis/metrics.k8s.io/v1beta1"
"""What metrics-server itself answers, unlike the path of the group alone."""

_KNATIVE_SERVING = "/apis/serving.knative.dev"
_KEDA = "/apis/keda.sh"


def mode_for(cluster: Cluster, settings: DeploySettings) -> str:
    """Choose the mode of a deploy: that of the settings, of the present service, or Knative.

    Where the settings leave it open a service keeps its mode, and a new one gets Knative where the
    cluster has it, else Standard.

    Raises:
        InputError: If the settings name a mode that the cluster lacks, or another one than the
            service has, or somebody else has created the service.
        ClusterError: If the API server does not say.
    """
    service = recorded(cluster.read(SERVICES, settings.service_name))
    # One that this project has stopped was never in service, and makes way.
    present = "" if service is None or is_stopped(service) else mode_of(service)
    if present and settings.mode != AUTO:
        require_same_mode(present, settings.mode)
    if present:
        return present
    has_knative = cluster.described(_KNATIVE_SERVING, "kind", str) is not None
    if settings.mode == KNATIVE and not has_knative:
        rule = "needs Knative Serving, which the cluster does not have"
        raise InputError(f"mode={KNATIVE!r}", rule, f"Install it, or set mode={STANDARD}")
    if settings.mode == AUTO:
        return KNATIVE if has_knative else STANDARD
    return settings.mode


def require_same_mode(present: str, wanted: str) -> None:
    """Refuse to change the mode of a service.

    Raises:
        InputError: If it has another mode.
    """
    if present != wanted:
        rule = f"is {present} in the cluster, and KServe cannot change it"
        fix = "Deploy in that mode, or remove the service first"
        raise InputError(f"mode={wanted!r}", rule, fix)


def require_autoscaler(cluster: Cluster, settings: DeploySettings) -> None:
    """Refuse an autoscaler that the cluster lacks, or that the present service would not get.

    Both autoscalers of Standard mode follow the CPU.

    Raises:
        InputError: If it cannot be used.
        ClusterError: If the API server does not say, or nothing measures the CPU at present.
    """
    wanted = settings.scaling.autoscaler
    if wanted and cluster.described(METRICS, "kind", str) is None:
        rule = "needs metrics-server in Standard mode, and the cluster does not have it"
        fix = "Install it, or set max_replicas to min_replicas"
        raise InputError(f"max_replicas={settings.max_replicas}", rule, fix)
    if wanted == KEDA and cluster.described(_KEDA, "kind", str) is None:
        rule = "needs KEDA, which the cluster does not have"
        raise InputError(f"scale_metric={QUEUE!r}", rule, "Install it, or set scale_metric=cpu")
    require_same_autoscaler(cluster.read(SERVICES, settings.service_name), wanted)


def require_same_autoscaler(service: Mapping[str, Any] | None, wanted: str) -> None:
    """Refuse to change the autoscaler of a service in Standard mode.

    KServe leaves the old one behind, and KEDA takes no service that has another one.

    Source: https://github.com/kserve/kserve/issues/5196

    Args:
        service: The service as the server returned it; None if there is none.
        wanted: The autoscaler that its manifest will need; empty for none in particular.

    Raises:
        InputError: If it has another autoscaler.
    """
    ours = recorded(service)
    if service is None or ours is None or is_stopped(ours) or mode_of(ours) != STANDARD:
        return
    present = autoscaler_of(service) or HPA
    # KEDA that this project has asked for goes with the request.
    if (wanted or (HPA if autoscaler_of(ours) == KEDA else present)) != present:
        rule = f"is scaled by {present} in the cluster, and KServe does not change that cleanly"
        fix = "Keep its scale_metric, or remove the service first"
        raise InputError(f"service {service['metadata']['name']}", rule, fix)


def has_candidates(cluster: Cluster, service_name: str) -> bool:
    """Tell whether KServe can give a service in Standard mode a second predictor, `spec.canary`.

    Every account may read the schemas of the API server's kinds. Where KEDA scales the service,
    KServe 0.20 asks it to scale the second predictor by nothing, which KEDA's kind refuses.

    Raises:
        ClusterError: If the API server does not say.
    """
    service = cluster.read(SERVICES, service_name)
    if service is not None and autoscaler_of(service) == KEDA:
        return False
    group, version, _ = SERVICES
    path = f"/openapi/v3/apis/{group}/{version}"
    components = cluster.described(path, "components", dict) or {}
    kind = {"group": group, "version": version, "kind": "InferenceService"}
    for schema in components.get("schemas", {}).values():
        if kind in schema.get("x-kubernetes-group-version-kind", []):
            spec = schema.get("properties", {}).get("spec", {})
            return "canary" in spec.get("properties", {})
    return False
