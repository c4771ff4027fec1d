"""How a step is called in the graph: with its parameters by name, on the node that it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kfp import dsl


@dataclass(frozen=True)
class Resources:
    """CPU cores, memory and GPUs of a step; memory as Kubernetes writes it."""

    cpu: str
    memory: str
    gpus: int = 0


RESOURCES = {
    "preflight": Resources(cpu="1", memory="1Gi"),
    "generate": Resources(cpu="8", memory="32Gi", gpus=1),
    "merge": Resources(cpu="2", memory="4Gi"),
    "train": Resources(cpu="8", memory="16Gi", gpus=1),
    "evaluate": Resources(cpu="4", memory="8Gi"),
    "deploy": Resources(cpu="1", memory="2Gi"),
    "outcome": Resources(cpu="1", memory="1Gi"),
}
"""What each step needs of a node, by its name. A local run ignores it."""


def call(component: Any, given: Mapping[str, Any], **inputs: Any) -> dsl.PipelineTask:
    """Add a step to the graph.

    Args:
        component: The KFP component.
        given: The pipeline's parameters; the step takes those that it has inputs for.
        inputs: What other steps made, by input name.
    """
    wanted = set(component.component_spec.inputs or {}) - set(inputs)
    task = component(**inputs, **{name: given[name] for name in given if name in wanted})
    needs = RESOURCES[component.name]
    task.set_cpu_limit(needs.cpu).set_memory_limit(needs.memory)
    if needs.gpus:
        task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(needs.gpus)
    return task
