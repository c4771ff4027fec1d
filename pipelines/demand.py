"""What the steps ask of the cluster's nodes, as preflight takes it."""

from typing import Any

from pipelines.resources import RESOURCES


def gpu_demand() -> dict[str, Any]:
    """The GPUs of the step that asks for most; empty if none asks for any."""
    count = max(needs.gpus for needs in RESOURCES.values())
    return {"resource": "nvidia.com/gpu", "count": count} if count else {}
