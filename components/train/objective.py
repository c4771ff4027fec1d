"""What a hyperparameter search maximises."""

from collections.abc import Mapping
from typing import Any

METRIC = "validation_macro_f1"


def objective(history: Mapping[str, Any]) -> float:
    """The macro-F1 on the validation rows in the best epoch, which is the one that is kept.

    Args:
        history: What the train step returns.
    """
    return max(float(point["macro_f1"]) for point in history["validation"])
