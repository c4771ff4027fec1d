"""The place where a run happens, as preflight takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class GpuDemand:
    """GPUs that the steps ask of a node.

    Args:
        resource: Name of the resource, such as `nvidia.com/gpu`; empty if no step asks for one.
        count: Number that the largest step asks for.
        node_selector: Labels of the nodes that the steps may run on.
        of_generate: Number that generate asks for.
    """

    resource: str = ""
    count: int = 1
    node_selector: Mapping[str, str] = field(default_factory=dict)
    of_generate: int = 0


@dataclass(frozen=True)
class Place:
    """The machine or cluster of a run, and what the run may use there.

    Args:
        run_id: The run; part of the name of the files that try a folder out.
        is_pod: Whether the steps are pods of a cluster.
        gpu: GPUs that the steps ask for.
        llm_api_key: Bearer token of LLM servers; may be empty.
        model_registry_token: Bearer token of the model registry; may be empty.
    """

    run_id: str = "local"
    is_pod: bool = False
    gpu: GpuDemand = field(default_factory=GpuDemand)
    llm_api_key: str = field(default="", repr=False)
    model_registry_token: str = field(default="", repr=False)
