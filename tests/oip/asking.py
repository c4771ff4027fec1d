"""What all clients ask, and what they get."""

from dataclasses import dataclass

TEXTS = ["i feel wonderful today", "L\u00e4stig \u2603, and I am furious!"]
TENSOR = {"name": "text", "shape": [len(TEXTS)], "datatype": "BYTES", "data": TEXTS}


@dataclass(frozen=True)
class Expected:
    """The answer to the texts."""

    version: str
    labels: list[str]
    probabilities: list[list[float]]
