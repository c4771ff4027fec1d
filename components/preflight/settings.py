"""Where a run takes place."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Gpu:
    """What the steps that need a GPU ask of a node.

    Args:
        resource: Name of the resource, such as `nvidia.com/gpu`; empty if no step asks for one.
        count: How many of it the largest step asks for.
        node_selector: Labels of the nodes that the steps may run on.
    """

    resource: str = ""
    count: int = 1
    node_selector: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a run takes place, and what it may use there.

    Args:
        run_id: The run; part of the name of what is written to try a folder out.
        is_pod: Whether the steps are pods of a cluster.
        gpu: What the steps ask for.
        llm_api_key: Bearer token of LLM servers; may be empty.
    """

    run_id: str = "local"
    is_pod: bool = False
    gpu: Gpu = field(default_factory=Gpu)
    llm_api_key: str = field(default="", repr=False)
