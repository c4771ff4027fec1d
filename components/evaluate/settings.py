"""The settings of the evaluate step."""

from dataclasses import dataclass

from components.checks import require_between


@dataclass(frozen=True)
class EvaluateSettings:
    """What a model must reach to be released.

    Args:
        task: The task that model and data set belong to: a shipped name, a path or a URI.
        min_accuracy: Lowest accuracy on the test split that passes the gate, 0 to 1.
        min_macro_f1: Lowest macro-averaged F1 on the test split that passes the gate, 0 to 1.
        seed: Seed of the logistic regression to compare with, 0 to 2**32 - 1.

    Raises:
        InputError: If a value is out of range.
    """

    task: str = "emotion"
    min_accuracy: float = 0.85
    min_macro_f1: float = 0.80
    seed: int = 0

    def __post_init__(self) -> None:
        require_between("min_accuracy", self.min_accuracy, 0, 1)
        require_between("min_macro_f1", self.min_macro_f1, 0, 1)
        require_between("seed", self.seed, 0, 2**32 - 1)
