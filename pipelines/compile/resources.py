"""Resources of each step, its time limit and its retries."""

import re
from dataclasses import dataclass

from components.errors import InputError, require_between

_CPU = re.compile(r"[1-9]\d*m?|\d+\.\d+")
_MEMORY = re.compile(r"[1-9]\d*(Ki|Mi|Gi|Ti|k|M|G|T)?")
_START_SECONDS = 1800
BACKOFF_SECONDS = 60
"""Pause before the first retry of a step."""
BACKOFF_FACTOR = 2.0
"""Ratio of each pause to the one before it."""


@dataclass(frozen=True)
class Resources:
    """Needs of one try of a step; a local run ignores them."""

    cpu: str
    """Cores, as Kubernetes writes them: `2` or `500m`."""
    memory: str
    """Memory, as Kubernetes writes it: `4Gi`."""
    gpus: int = 0
    """GPUs."""
    shared_memory: str = ""
    """Size of /dev/shm, which counts as memory; empty leaves the container runtime's 64 MiB."""
    hours: float = 1.0
    """Time limit of a try."""
    retries: int = 2
    """Number of retries when its pod is lost (docs/pipeline.md); 0 leaves it to Argo's settings."""

    def __post_init__(self) -> None:
        for name, pattern in (("cpu", _CPU), ("memory", _MEMORY), ("shared_memory", _MEMORY)):
            value = getattr(self, name)
            if not pattern.fullmatch(value) and (value or name != "shared_memory"):
                rule = "is not a quantity of Kubernetes"
                raise InputError(f"{name}={value!r}", rule, "Write cpu like 500m, memory like 4Gi")
        require_between("gpus", self.gpus, 0, 16)
        require_between("hours", self.hours, 0.1, 24 * 7)
        require_between("retries", self.retries, 0, 10)

    @property
    def seconds(self) -> int:
        """Time limit of a try."""
        return round(self.hours * 3600)

    @property
    def retry_window_seconds(self) -> int:
        """Time after the start of the first try in which a retry may begin.

        KFP counts it from the first start, so a window shorter than all tries together would drop
        the last ones. Each try may also wait half an hour for a node and its image.
        """
        pauses = sum(BACKOFF_SECONDS * BACKOFF_FACTOR**n for n in range(self.retries))
        return (self.retries + 1) * (self.seconds + _START_SECONDS) + round(pauses)


RESOURCES = {
    "preflight": Resources(cpu="1", memory="1Gi", retries=0),
    "generate": Resources(cpu="8", memory="32Gi", gpus=1, shared_memory="8Gi", hours=4),
    "merge": Resources(cpu="2", memory="4Gi"),
    "train": Resources(cpu="8", memory="16Gi", gpus=1, shared_memory="4Gi", hours=6),
    "evaluate": Resources(cpu="4", memory="8Gi", hours=2),
    "deploy": Resources(cpu="1", memory="2Gi", retries=0),
    "outcome": Resources(cpu="1", memory="1Gi"),
    "watch": Resources(cpu="2", memory="4Gi"),
    "predict-plan": Resources(cpu="1", memory="2Gi"),
    "predict-shard": Resources(cpu="4", memory="4Gi", hours=24),
    "predict-report": Resources(cpu="1", memory="2Gi"),
}
"""The needs of each step by its name, unless compile settings say otherwise."""
