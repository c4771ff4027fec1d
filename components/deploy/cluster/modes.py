"""What KServe can do in a cluster: its modes, and a second predictor beside the first."""

from components.deploy.cluster.api import SERVICES, Cluster
from components.deploy.cluster.service import recorded
from components.deploy.inference_service import AUTO, KNATIVE, STANDARD, is_stopped, mode_of
from components.deploy.settings import DeploySettings
from components.errors import InputError

_KNATIVE_SERVING = "/apis/serving.knative.dev"


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


def has_candidates(cluster: Cluster) -> bool:
    """Tell whether KServe knows `spec.canary`, a second predictor in Standard mode.

    Every account may read the schemas of the API server's kinds.

    Raises:
        ClusterError: If the API server does not say.
    """
    group, version, _ = SERVICES
    path = f"/openapi/v3/apis/{group}/{version}"
    components = cluster.described(path, "components", dict) or {}
    kind = {"group": group, "version": version, "kind": "InferenceService"}
    for schema in components.get("schemas", {}).values():
        if kind in schema.get("x-kubernetes-group-version-kind", []):
            spec = schema.get("properties", {}).get("spec", {})
            return "canary" in spec.get("properties", {})
    return False
