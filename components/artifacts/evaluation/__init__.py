"""The evaluation of a model: written by evaluate, read by deploy, the reports and the console.

| module | content |
| --- | --- |
| `scores` | scores on one split, and their intervals |
| `comparison` | the model against other classifiers, and the gate's verdict |
| `findings` | weak parts of the test split, changed texts, mistakes, doubtful labels |
| `profile` | what the model sees in the texts of the test split, for comparison with traffic |
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from components import storage
from components.artifacts.evaluation.comparison import ChampionScores, Comparison, Verdict
from components.artifacts.evaluation.profile import Profile
from components.artifacts.evaluation.scores import (
    Intervals,
    LabelError,
    Mistake,
    Robustness,
    Scores,
    Slice,
)
from components.errors import InputError

METRICS = "metrics.json"
"""Name of the file in the folder of a local run, which adds `seconds`."""


@dataclass(frozen=True)
class Evaluation:
    """The scores of a model next to those of others, and the gate's verdict.

    Args:
        task: Name of the task.
        labels: Label names in the order of their ids.
        model_version: The sha256 that identifies the model.
        temperature: The divisor of the model's logits before the softmax, above 0.
        rows: Number of rows by split and source.
        test: Scores on the test split of the model as it is served (int8).
        intervals: 95 % intervals of the scores in `test`.
        validation: The same on the validation split.
        test_fp32: Scores on the test split in full precision.
        validation_fp32: The same on the validation split.
        torch_validation: Accuracy and macro-F1 on the validation split as train measured them.
        uncalibrated_error: Expected calibration error on the test split without temperature.
        out_of_domain: Scores on out-of-domain text; None if there was none.
        baselines: Scores of each baseline on the test split.
        real_only: Scores on the test split of the model trained without synthetic rows; None
            without an ablation.
        champion: The model in service; None if there is none.
        comparisons: The model against each other classifier on the same rows.
        slices: Scores on parts of the test split.
        robustness: Scores under perturbation of the test split.
        mistakes: The most confident mistakes on the test split.
        label_errors: Rows of the test split whose label is probably wrong.
        verdict: The decision on the release, with its reasons.
        profile: What the model sees in the test split; None of an earlier version.
    """

    task: str
    labels: tuple[str, ...]
    model_version: str
    temperature: float
    rows: Mapping[str, Mapping[str, int]]
    test: Scores
    intervals: Intervals
    validation: Scores
    test_fp32: Scores
    validation_fp32: Scores
    torch_validation: Mapping[str, float]
    uncalibrated_error: float
    out_of_domain: Scores | None
    baselines: Mapping[str, Scores]
    real_only: Scores | None
    champion: ChampionScores | None
    comparisons: tuple[Comparison, ...]
    slices: tuple[Slice, ...]
    robustness: tuple[Robustness, ...]
    mistakes: tuple[Mistake, ...]
    label_errors: tuple[LabelError, ...]
    verdict: Verdict
    profile: Profile | None = None

    @property
    def passed(self) -> bool:
        """The verdict: True if the model may be released."""
        return self.verdict.passed

    @property
    def champion_generation(self) -> int:
        """Generation of the registry's pointer at the evaluation; 0 if there was no champion."""
        return self.champion.generation if self.champion else 0

    @property
    def headline(self) -> dict[str, float]:
        """The two figures by which a release is known, on the test split."""
        return {"accuracy": self.test.accuracy, "macro_f1": self.test.macro_f1}

    def figures(self) -> dict[str, float]:
        """The main figures on the test split by name, as a list of runs shows them."""
        test = self.test
        return {
            **self.headline,
            "weighted_f1": test.weighted_f1,
            "top2_accuracy": test.top2_accuracy,
            "log_loss": test.log_loss,
            "brier_score": test.brier_score,
            "expected_calibration_error": test.expected_calibration_error,
            "accuracy_fp32": self.test_fp32.accuracy,
            "macro_f1_fp32": self.test_fp32.macro_f1,
        }

    def to_json(self, **more: Any) -> str:
        """The evaluation as JSON: the scores on the test split at the top level, the rest by name.

        Args:
            more: Further values for the top level, which `from_json` ignores.
        """
        content = asdict(self)
        test, gate = content.pop("test"), content.pop("verdict")
        return json.dumps({**test, **content, "gate": gate, **more}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "evaluation") -> "Evaluation":
        """Restore an evaluation that `to_json` wrote.

        Args:
            text: The JSON.
            where: Names it in errors.

        Raises:
            InputError: If it is not JSON, or a value is missing or has the wrong type.
        """
        # Its import takes a tenth of a second, which not every importer of this module needs.
        from pydantic import TypeAdapter, ValidationError

        try:
            # Only in JSON do strict types allow a list for a tuple, an object for a dataclass.
            content = json.dumps(_by_field(json.loads(text)))
            return TypeAdapter(cls).validate_json(content, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])).removeprefix("test.")
            thing = f"{where}, {place.replace('verdict', 'gate')}"
            raise InputError(thing, first["msg"], "Evaluate the model again") from error
        except (ValueError, TypeError, AttributeError) as error:
            rule = "is not the JSON object that evaluate writes"
            raise InputError(where, rule, "Evaluate the model again") from error


def read_evaluation(reference: str | Path) -> Evaluation:
    """Read an evaluation from a path or URI.

    Raises:
        InputError: If it cannot be read, or `Evaluation.from_json` refuses it.
    """
    return Evaluation.from_json(storage.read_text(str(reference)), f"evaluation {reference}")


def _by_field(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a file by the fields of `Evaluation`."""
    fields_of_test = {each.name for each in fields(Scores)}
    test = {name: value for name, value in content.items() if name in fields_of_test}
    # `rows` at the top level are those of the whole data set.
    test["rows"] = sum(map(sum, test.get("confusion_matrix", ())))
    gate = {"verdict": content["gate"]} if "gate" in content else {}
    return {**content, "test": test, **gate}
