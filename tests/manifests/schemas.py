"""Every kind against the schema that its API server would hold, with unknown fields refused."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
from cloudcoil.models.prometheus_operator import v1 as prometheus_operator

from tests.manifests import client_models
from tests.manifests.kserve_models import models as kserve_models
from tests.manifests.rendering import Resource

KSERVE = Path(
    os.environ.get(
        "KSERVE_SCHEMAS", str(Path(__file__).parents[3] / "shared" / "schemas" / "kserve")
    )
)
"""KServe's OpenAPI schemas, one file a kind. Without them KServe's own client knows the fields."""

KUBERNETES = ("1.32", "1.37")
"""An older Kubernetes that is still in use, and the newest one with schemas."""


def errors(resource: Resource, kubernetes: str = KUBERNETES[-1]) -> list[str]:
    """What an API server of this version would refuse or drop, unknown fields by name."""
    match resource["apiVersion"].rpartition("/")[0]:
        case "serving.kserve.io":
            return _core_errors(_metadata(resource), kubernetes) + _kserve_errors(resource)
        case "monitoring.coreos.com":
            return _core_errors(_metadata(resource), kubernetes) + _prometheus_errors(resource)
        case _:
            return _core_errors(resource, kubernetes)


def strict(schema: Any) -> Any:
    """The schema with unknown fields refused, where Kubernetes would drop them unsaid."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: strict(value) for key, value in schema.items() if key != "properties"}
    if isinstance(fields := schema.get("properties"), dict):
        result["properties"] = {name: strict(field) for name, field in fields.items()}
        if schema.get("x-kubernetes-preserve-unknown-fields") is not True:
            result["additionalProperties"] = False
    return result


@cache
def kserve_validator(path: Path) -> jsonschema.Draft202012Validator:
    schema = json.loads(path.read_text(encoding="utf-8"))["schema"]
    return jsonschema.Draft202012Validator(strict(schema))


def _core_errors(resource: Resource, version: str) -> list[str]:
    try:
        kubernetes_validate.validate(resource, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [error.message]
    return []


def _metadata(resource: Resource) -> Resource:
    # Schemas of custom resources leave metadata to the API server.
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": resource["metadata"]}


def _kserve_errors(resource: Resource) -> list[str]:
    kind, version = resource["kind"], resource["apiVersion"].rpartition("/")[2]
    path = KSERVE / f"{kind.lower()}.{version}.json"
    if path.is_file():
        return [error.message for error in kserve_validator(path).iter_errors(resource)]
    model = getattr(kserve_models, version.capitalize() + kind)
    return client_models.unknown_fields(resource, model)


def _prometheus_errors(resource: Resource) -> list[str]:
    # The models read the fields that they know: what they give back is what the operator takes.
    model = getattr(prometheus_operator, resource["kind"])
    try:
        understood = model.model_validate(resource)
    except ValueError as error:
        return [str(error)]
    known = understood.model_dump(by_alias=True, exclude_unset=True, mode="json")
    return _dropped(resource, known, resource["kind"])


def _dropped(given: Any, known: Any, path: str) -> list[str]:
    if isinstance(given, dict) and isinstance(known, dict):
        lost = [f"{path}.{name} is unknown" for name in given.keys() - known.keys()]
        both = given.keys() & known.keys()
        return lost + [each for name in both for each in _dropped(given[name], known[name], name)]
    if isinstance(given, list) and isinstance(known, list):
        pairs = zip(given, known, strict=True)
        return [each for mine, theirs in pairs for each in _dropped(mine, theirs, path)]
    return []
