"""What each step needs of a node, in one table."""

from dataclasses import dataclass

from kfp import dsl


@dataclass(frozen=True)
class Resources:
    """CPU cores, memory and GPUs of a step; memory as Kubernetes writes it."""

    cpu: str
    memory: str
    gpus: int = 0


RESOURCES = {
    "generate": Resources(cpu="8", memory="32Gi", gpus=1),
    "merge": Resources(cpu="2", memory="4Gi"),
    "train": Resources(cpu="8", memory="16Gi", gpus=1),
    "evaluate": Resources(cpu="4", memory="8Gi"),
    "deploy": Resources(cpu="1", memory="2Gi"),
}


def place(**tasks: dsl.PipelineTask) -> None:
    """Ask for the resources of each step; a step is named by its keyword.

    A local run ignores them.
    """
    for step, task in tasks.items():
        needs = RESOURCES[step]
        task.set_cpu_limit(needs.cpu).set_memory_limit(needs.memory)
        if needs.gpus:
            task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(needs.gpus)
