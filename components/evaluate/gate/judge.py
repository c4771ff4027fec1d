"""The gate: whether a model is good enough to be released, rule by rule."""

from collections.abc import Iterator
from dataclasses import dataclass

from components.artifacts.evaluation.comparison import Comparison, Rule, Verdict
from components.artifacts.evaluation.scores import Scores
from components.evaluate.gate.gate_file import Gate


@dataclass(frozen=True)
class Evidence:
    """What the gate judges by.

    Args:
        test: Scores of the served model on the test split.
        test_fp32: The same in full precision.
        majority: Scores of always answering the most frequent label on the same rows.
        champion: The run that made the model in service; "" if there is none.
        against_champion: The model against the champion; None if they cannot be compared.
    """

    test: Scores
    test_fp32: Scores
    majority: Scores
    champion: str = ""
    against_champion: Comparison | None = None


def judge(gate: Gate, evidence: Evidence) -> Verdict:
    """Decide whether a model is good enough to be released."""
    rules = tuple(_rules(gate, evidence))
    return Verdict(all(rule.passed for rule in rules), rules)


def _rules(gate: Gate, evidence: Evidence) -> Iterator[Rule]:
    test, fp32 = evidence.test, evidence.test_fp32
    if gate.min_accuracy is not None:
        yield _at_least("min_accuracy", "Accuracy", test.accuracy, gate.min_accuracy)
    if gate.min_macro_f1 is not None:
        yield _at_least("min_macro_f1", "Macro-F1", test.macro_f1, gate.min_macro_f1)
    if gate.min_label_recall is not None:
        recalls = {label: scores.recall for label, scores in test.per_label.items()}
        worst = min(recalls, key=recalls.__getitem__)
        title = f"The lowest recall of a label ({worst})"
        yield _at_least("min_label_recall", title, recalls[worst], gate.min_label_recall)
    if gate.max_calibration_error is not None:
        error, title = test.expected_calibration_error, "Expected calibration error"
        yield _at_most("max_calibration_error", title, error, gate.max_calibration_error)
    if gate.max_quantisation_loss is not None:
        # Half a point is half a point, whatever the last binary digit of the difference says.
        loss, title = round(fp32.accuracy - test.accuracy, 9), "Accuracy lost to int8"
        yield _at_most("max_quantisation_loss", title, loss, gate.max_quantisation_loss)
    if gate.above_majority:
        yield _above_majority(test.macro_f1, evidence.majority.macro_f1)
    if gate.champion:
        yield _champion(evidence, gate.significance_level)


def _at_least(name: str, title: str, value: float, threshold: float) -> Rule:
    passed = value >= threshold
    outcome = "reaches" if passed else "is below"
    sentence = f"{title} {value:.4f} {outcome} the required {threshold:.4f}."
    return Rule(name, value, threshold, passed, sentence)


def _at_most(name: str, title: str, value: float, threshold: float) -> Rule:
    passed = value <= threshold
    outcome = "is within" if passed else "exceeds"
    sentence = f"{title} {value:.4f} {outcome} the allowed {threshold:.4f}."
    return Rule(name, value, threshold, passed, sentence)


def _above_majority(value: float, threshold: float) -> Rule:
    passed = value > threshold
    outcome = "is better" if passed else "is no better"
    sentence = (
        f"Macro-F1 {value:.4f} {outcome} than {threshold:.4f}, "
        "reached by always answering the most frequent label."
    )
    return Rule("above_majority", value, threshold, passed, sentence)


def _champion(evidence: Evidence, level: float) -> Rule:
    run, comparison = evidence.champion, evidence.against_champion
    if not run:
        return Rule("champion", None, level, True, "There is no champion to be worse than.")
    if comparison is None:
        # Clients of the model in service would get labels that they do not know.
        sentence = (
            f"The champion (run {run}) has other labels, so it cannot be compared: "
            "use another registry for another task."
        )
        return Rule("champion", None, level, False, sentence)
    p = comparison.p_worse
    passed = p >= level
    outcome = "Not significantly worse" if passed else "Significantly worse"
    sentence = (
        f"{outcome} than the champion (run {run}) at level {level:g}: p = {p:.2g}. "
        f"{comparison.sentence}"
    )
    return Rule("champion", p, level, passed, sentence)
