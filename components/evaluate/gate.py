"""The gate: what a model must reach to be released, from a small YAML file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from components import storage
from components.checks import InputError, require_between, require_one_of
from components.evaluate.metrics import Scores
from components.evaluate.significance import Comparison
from components.options import of_type, require_known

NOT_SIGNIFICANTLY_WORSE = "not_significantly_worse"

_SHIPPED = resources.files("components.evaluate") / "gates"


@dataclass(frozen=True)
class Gate:
    """What is demanded of a model; None demands nothing.

    Scores are those of the served model on the test split.

    Args:
        min_accuracy: Lowest accuracy, 0 to 1.
        min_macro_f1: Lowest macro-F1, 0 to 1.
        min_label_recall: Lowest recall of any label, 0 to 1.
        max_calibration_error: Highest expected calibration error, 0 to 1.
        max_quantisation_loss: Accuracy that int8 may lose to full precision, 0 to 1.
        above_majority: Whether macro-F1 must beat always answering the most frequent label.
        champion: `not_significantly_worse` than the model in service.
        significance_level: p-value below which a model counts as worse than the champion, by
            the paired bootstrap of macro-F1 or by McNemar's test of accuracy, 0 to 1.

    Raises:
        InputError: If a value is out of range.
    """

    min_accuracy: float | None = None
    min_macro_f1: float | None = None
    min_label_recall: float | None = None
    max_calibration_error: float | None = None
    max_quantisation_loss: float | None = None
    above_majority: bool = False
    champion: str | None = None
    significance_level: float = 0.05

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, float):
                require_between(name, value, 0, 1)
        if self.champion is not None:
            require_one_of("champion", self.champion, [NOT_SIGNIFICANTLY_WORSE])


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


@dataclass(frozen=True)
class Rule:
    """One rule of the gate, applied.

    Args:
        name: Its key in the gate file.
        value: What was measured; None if there is nothing to measure.
        threshold: What is demanded of the value.
        passed: Whether it was met.
        sentence: The outcome, said to a person.
    """

    name: str
    value: float | None
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
        sentences = " ".join(rule.sentence for rule in self.rules) or "The gate demands nothing."
        return f"{'passed' if self.passed else 'failed'}. {sentences}"


def load_gate(reference: str) -> Gate:
    """Read a gate by shipped name, or from a YAML file.

    Args:
        reference: The name of a shipped gate (`release`), or a path or URI of a gate file.

    Raises:
        InputError: If there is no such gate, or a key or value of it is wrong.
    """
    shipped = {Path(each.name).stem: each for each in _SHIPPED.iterdir()}
    if reference in shipped:
        text = shipped[reference].read_text(encoding="utf-8")
    elif re.fullmatch(r"[\w-]*", reference) and not Path(reference).is_file():
        names = ", ".join(sorted(shipped))
        raise InputError(f"gate {reference!r}", "is not known", f"Use {names} or a path or URI")
    else:
        text = storage.read_text(reference)
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"gate file {reference}", "is not valid YAML", str(error)) from error
    if not isinstance(content, dict):
        rule = "must hold rules as `key: value`"
        raise InputError(f"gate file {reference}", rule, "Write one a line, or {} for none")
    return _gate(content, f"gate {reference}")


def judge(gate: Gate, evidence: Evidence) -> Verdict:
    """Decide whether a model is good enough to be released."""
    rules = tuple(_rules(gate, evidence))
    return Verdict(all(rule.passed for rule in rules), rules)


def _gate(content: Mapping[Any, Any], where: str) -> Gate:
    names = [field.name for field in fields(Gate)]
    kinds = {"above_majority": bool, "champion": str}
    for name in content:
        require_known(str(name), names, f"{where}, key")
    return Gate(
        **{key: of_type(key, value, kinds.get(key, float)) for key, value in content.items()}
    )


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
    p = min(comparison.macro_f1.p_worse, comparison.accuracy.p_worse)
    passed = p >= level
    outcome = "Not significantly worse" if passed else "Significantly worse"
    sentence = (
        f"{outcome} than the champion (run {run}) at level {level:g}: p = {p:.2g}. "
        f"{comparison.sentence}"
    )
    return Rule("champion", p, level, passed, sentence)
