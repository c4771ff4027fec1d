"""Fields that a generated OpenAPI client knows: kserve, kubernetes and kfp_server_api are such."""

import re
from typing import Any

import kfp_server_api
import kubernetes.client

from tests.manifests.kserve_models import models as kserve_models

_CLIENTS = (kserve_models, kubernetes.client, kfp_server_api)


def unknown_fields(value: Any, model: Any, path: str = "") -> list[str]:
    """The fields of a parsed manifest that the client's model, or one inside it, does not have."""
    if not isinstance(value, dict):
        return [f"{path} is {value!r}, not a {model.__name__}"]
    types = {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}
    found = [f"{path}.{name} is unknown" for name in value if name not in types]
    for name in value.keys() & types.keys():
        found += _unknown_inside(value[name], types[name], f"{path}.{name}")
    return found


def _unknown_inside(value: Any, kind: str, path: str) -> list[str]:
    if inner := re.fullmatch(r"list\[(.+)\]", kind):
        if not isinstance(value, list):
            return [f"{path} is {value!r}, not a list"]
        return [each for item in value for each in _unknown_inside(item, inner[1], path)]
    # KServe writes some of Kubernetes' own types with their package.
    kind = re.sub(r"^K8sIoApi[A-Z][a-z]+", "", kind)
    model = next((getattr(client, kind) for client in _CLIENTS if hasattr(client, kind)), None)
    if not hasattr(model, "openapi_types") or getattr(model, "allowable_values", None):
        return []
    return unknown_fields(value, model, path)
