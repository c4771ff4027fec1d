"""What the steps ask of the cluster's nodes, as preflight takes it."""

from typing import Any

from pipelines.settings import CompileSettings


def gpu_demand(settings: CompileSettings) -> dict[str, Any]:
    """The GPUs of the step that asks for most; empty if none asks for any.

    Args:
        settings: What the cluster asks for.
    """
    count = max(needs.gpus for needs in settings.resources.values())
    if not settings.gpu or not count:
        return {}
    gpu = settings.gpu
    return {"resource": gpu.resource, "count": count, "node_selector": gpu.labels}
