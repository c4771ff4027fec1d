"""The gate: which scores a model needs to be released."""

from dataclasses import dataclass

from components.evaluate.metrics import Scores
from components.evaluate.settings import EvaluateSettings


@dataclass(frozen=True)
class Rule:
    """One rule of the gate, applied; `sentence` says the outcome to a person."""

    name: str
    value: float
    threshold: float
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of all rules; the model passes if every rule does."""

    passed: bool
    rules: tuple[Rule, ...]

    @property
    def summary(self) -> str:
        """The outcome and every rule's sentence on one line."""
        sentences = " ".join(rule.sentence for rule in self.rules)
        return f"{'passed' if self.passed else 'failed'}. {sentences}"


def judge(test: Scores, majority: Scores, settings: EvaluateSettings) -> Verdict:
    """Decide whether a model is good enough to be released.

    Args:
        test: Scores of the model on the test split.
        majority: Scores of the majority class baseline on the same rows.
        settings: The thresholds.
    """
    rules = (
        _at_least("accuracy", "Accuracy", test.accuracy, settings.min_accuracy),
        _at_least("macro_f1", "Macro-F1", test.macro_f1, settings.min_macro_f1),
        _better_than_majority(test.macro_f1, majority.macro_f1),
    )
    return Verdict(all(rule.passed for rule in rules), rules)


def _at_least(name: str, title: str, value: float, threshold: float) -> Rule:
    passed = value >= threshold
    outcome = "reaches" if passed else "is below"
    sentence = f"{title} {value:.4f} {outcome} the required {threshold:.4f}."
    return Rule(name, value, threshold, passed, sentence)


def _better_than_majority(value: float, threshold: float) -> Rule:
    passed = value > threshold
    outcome = "is better" if passed else "is no better"
    sentence = (
        f"Macro-F1 {value:.4f} {outcome} than {threshold:.4f}, "
        "reached by always answering the most frequent label."
    )
    return Rule("macro_f1_above_majority", value, threshold, passed, sentence)
