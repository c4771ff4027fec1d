"""All that evaluate finds out about a model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.evaluate.gate.judge import Verdict
from components.evaluate.inputs import Point
from components.evaluate.measure.comparison import Comparison
from components.evaluate.measure.intervals import Intervals
from components.evaluate.measure.label_errors import LabelError
from components.evaluate.measure.mistakes import Mistake
from components.evaluate.measure.robustness import Robustness
from components.evaluate.measure.scores import Scores
from components.evaluate.measure.slices import Slice


@dataclass(frozen=True)
class ChampionScores:
    """The model in service when this one was evaluated.

    Args:
        run_id: The run that made it.
        version: The sha256 that identifies it.
        generation: Generation of the registry's pointer when it was read; a pointer that has
            moved on since may not be replaced on the strength of this evaluation.
        scores: Its scores on the test split; None if its labels are not the task's.
    """

    run_id: str
    version: str
    generation: int
    scores: Scores | None


@dataclass(frozen=True)
class Evaluation:
    """The scores of a model beside those of others, and the gate's verdict.

    Args:
        task: Name of the task.
        labels: Label names in the order of their ids.
        model_version: The sha256 that identifies the model.
        temperature: What the model's logits are divided by before probabilities are made.
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
        label_errors: Rows of the test split whose label is likely wrong.
        verdict: Whether the model may be released, and why.
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
    torch_validation: Point
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

    def figures(self) -> dict[str, float]:
        """The main figures on the test split by name, as a list of runs shows them."""
        test = self.test
        return {
            "accuracy": test.accuracy,
            "macro_f1": test.macro_f1,
            "weighted_f1": test.weighted_f1,
            "top2_accuracy": test.top2_accuracy,
            "log_loss": test.log_loss,
            "brier_score": test.brier_score,
            "expected_calibration_error": test.expected_calibration_error,
            "accuracy_fp32": self.test_fp32.accuracy,
            "macro_f1_fp32": self.test_fp32.macro_f1,
        }

    def to_metrics(self) -> dict[str, Any]:
        """The evaluation as JSON-ready dicts, tuples and numbers.

        The scores on the test split stand at the top level, all others under their name.
        """
        content = asdict(self)
        test, gate = content.pop("test"), content.pop("verdict")
        return {**test, **content, "gate": gate}
