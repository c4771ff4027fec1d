"""Objects as an API server returns them after a server-side apply."""

from typing import Any


def applied(
    manifest: dict[str, Any], manager: str = "emotion-pipeline", operation: str = "Apply"
) -> dict[str, Any]:
    """A service as the server returns it after a manager has set the fields of a manifest."""
    fields = {name: fields for name, fields in _fields_of(manifest).items() if name != "f:kind"}
    fields["f:metadata"] = {
        name: each for name, each in fields["f:metadata"].items() if name != "f:name"
    }
    entry = {"manager": manager, "operation": operation, "fieldsV1": fields}
    return {**manifest, "metadata": {**manifest["metadata"], "managedFields": [entry]}}


def _fields_of(value: Any) -> dict[str, Any]:
    """The notation of fields for a whole value, with lists as one field."""
    if not isinstance(value, dict) or not value:
        return {}
    return {".": {}} | {f"f:{name}": _fields_of(each) for name, each in value.items()}
