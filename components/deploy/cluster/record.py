"""The part of a service in the cluster that this project set, as a manifest that restores it.

Server-side apply records the owner of each field. Only the fields of this project are read, so
that restoring them leaves alone what a person or a controller has set in addition.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/ and, for the notation,
FieldsV1 in https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.30/
"""

import json
from collections.abc import Mapping
from typing import Any

from components.deploy.cluster.api import FIELD_MANAGER
from components.deploy.inference_service import Manifest
from components.errors import InputError


def recorded(service: Mapping[str, Any] | None) -> Manifest | None:
    """Read the manifest of a service in the cluster.

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
