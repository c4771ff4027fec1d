"""All that evaluate finds out about a model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.evaluate.gate import Verdict
from components.evaluate.metrics import Scores


@dataclass(frozen=True)
class Evaluation:
    """The scores of a model beside those of the baselines, and the gate's verdict.

    Args:
        task: Name of the task.
        labels: Label names in the order of their ids.
        test: Scores of the model on the test split.
        validation: Scores of the model on the validation split.
        baselines: Scores of each baseline on the test split.
        verdict: Whether the model may be released, and why.
        rows: Number of rows by split and source.
        model_version: The sha256 that identifies the model.
    """

    task: str
    labels: tuple[str, ...]
    test: Scores
    validation: Scores
    baselines: Mapping[str, Scores]
    verdict: Verdict
    rows: Mapping[str, Mapping[str, int]]
    model_version: str

    def to_metrics(self) -> dict[str, Any]:
        """The evaluation as JSON-ready lists, dicts and numbers.

        The scores on the test split stand at the top level, all others under their name.
        """
        return {
            **self.test.to_dict(),
            "labels": list(self.labels),
            "validation": self.validation.to_dict(),
            "baselines": {name: scores.to_dict() for name, scores in self.baselines.items()},
            "rows": {split: dict(sources) for split, sources in self.rows.items()},
            "gate": {
                "passed": self.verdict.passed,
                "rules": [asdict(rule) for rule in self.verdict.rules],
            },
            "model_version": self.model_version,
        }
