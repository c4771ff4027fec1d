"""The size of a search on a cluster."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from components.errors import require_between, require_one_of


@dataclass(frozen=True)
class SearchPlan:
    """Size and algorithm of a search; each system that searches refines what it can do.

    Args:
        algorithm: One of `ALGORITHMS`.
        trials: Number of trials.
        parallel: Trials at a time.
    """

    ALGORITHMS: ClassVar[Sequence[str]]
    MOST_TRIALS: ClassVar[float] = math.inf

    algorithm: str
    trials: int = 20
    parallel: int = 4

    def __post_init__(self) -> None:
        require_one_of("algorithm", self.algorithm, self.ALGORITHMS)
        require_between("trials", self.trials, 1, self.MOST_TRIALS)
        require_between("parallel", self.parallel, 1, self.trials)
