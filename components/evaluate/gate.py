"""The release gate: the rules that a gate file may set, and how each is judged."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from importlib import resources
from typing import Any, get_args

from components.artifacts.evaluation.comparison import Comparison, Rule, Verdict
from components.artifacts.evaluation.scores import Scores
from components.data_files import read_shipped, shipped_files
from components.errors import InputError, require_between, require_one_of
from components.options import of_type, require_known

NOT_SIGNIFICANTLY_WORSE = "not_significantly_worse"

_SHIPPED = resources.files("components.evaluate") / "gates"


@dataclass(frozen=True)
class Gate:
    """Requirements for a release; a rule that is None requires nothing.

    Scores are those of the served model on the test split.

    Args:
        min_accuracy: Lowest accuracy, 0 to 1.
        min_macro_f1: Lowest macro-F1, 0 to 1.
        min_label_recall: Lowest recall of any label that has rows, 0 to 1.
        max_calibration_error: Highest expected calibration error, 0 to 1.
        max_quantisation_loss: Accuracy that int8 may lose against full precision, 0 to 1.
        above_majority: Demand a macro-F1 above that of always predicting the most frequent label.
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


def shipped_gates() -> list[str]:
    """List the names of the shipped gate files."""
    return sorted(shipped_files(_SHIPPED))


def load_gate(reference: str) -> Gate:
    """Read a gate by shipped name, or from a YAML file.

    Args:
        reference: Name of a shipped gate (`release`), or path or URI of a gate file.

    Raises:
        InputError: If there is no such gate, it is empty, or a key or value is wrong.
    """
    content = read_shipped(reference, _SHIPPED, "gate file")
    if not content:
        # A file that was cut off must not let every model pass.
        fix = "Write one per line, or set gate to smoke to require nothing"
        raise InputError(f"gate file {reference}", "holds no rules", fix)
    kinds = {each.name: _plain(each.type) for each in fields(Gate)}
    for name in content:
        require_known(name, kinds, f"gate file {reference}, key")
    return Gate(**{name: of_type(name, value, kinds[name]) for name, value in content.items()})


def _plain(kind: Any) -> Any:
    """The type without `| None`: in a file a rule has a value or is left out."""
    return get_args(kind)[0] if get_args(kind) else kind


@dataclass(frozen=True)
class Evidence:
    """Measurements that the gate judges by.

    Args:
        test: Scores of the served model on the test split.
        test_fp32: The same in full precision.
        majority: Scores of always predicting the most frequent label on the same rows.
        champion: The run that produced the model in service; "" if there is none.
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
        yield _label_recall(test, gate.min_label_recall)
    if gate.max_calibration_error is not None:
        error, title = test.expected_calibration_error, "Expected calibration error"
        yield _at_most("max_calibration_error", title, error, gate.max_calibration_error)
    if gate.max_quantisation_loss is not None:
        # Rounded, so that half a point is half a point whatever the last binary digit.
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


def _label_recall(test: Scores, threshold: float) -> Rule:
    """Judge the labels that have rows; the recall of the others is not defined."""
    recalls = {label: each.recall for label, each in test.per_label.items() if each.support}
    worst = min(recalls, key=recalls.__getitem__)
    title = f"The lowest recall of a label ({worst})"
    rule = _at_least("min_label_recall", title, recalls[worst], threshold)
    if absent := [label for label in test.per_label if label not in recalls]:
        left_out = f"{rule.sentence} The test split has no row to judge {', '.join(absent)} by."
        return replace(rule, sentence=left_out)
    return rule


def _above_majority(value: float, threshold: float) -> Rule:
    passed = value > threshold
    outcome = "exceeds" if passed else "does not exceed"
    sentence = (
        f"Macro-F1 {value:.4f} {outcome} the {threshold:.4f} "
        "of always predicting the most frequent label."
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
