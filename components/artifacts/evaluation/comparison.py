"""The model against other classifiers, and the verdict on it."""

from dataclasses import dataclass

from components.artifacts.evaluation.scores import Interval, Scores

MAJORITY = "majority"
TFIDF = "tfidf_logistic_regression"
REAL_ONLY = "real_only"
CHAMPION = "champion"
OUT_OF_DOMAIN = "out_of_domain"
BETTER, EQUAL, WORSE = "better", "equal", "worse"


@dataclass(frozen=True)
class Difference:
    """The model's score minus another classifier's, -1 to 1.

    Args:
        value: The difference on the rows as they are.
        interval: Its 95 % interval.
        p: Two-sided p-value of there being no difference, above 0 to 1.
    """

    value: float
    interval: Interval
    p: float


@dataclass(frozen=True)
class McNemar:
    """Rows that only one of two classifiers labels right.

    Args:
        value: The model's accuracy minus the other's, -1 to 1.
        only_model: Rows that only the model labels right.
        only_other: Rows that only the other classifier labels right.
        p: p-value of the exact McNemar test, above 0 to 1.
    """

    value: float
    only_model: int
    only_other: int
    p: float


@dataclass(frozen=True)
class Comparison:
    """The model against another classifier on the same rows.

    Args:
        other: The other classifier: `MAJORITY`, `TFIDF`, `REAL_ONLY` or `CHAMPION`.
        split: The rows: those of the split `test`, or `OUT_OF_DOMAIN`.
        rows: Their number.
        macro_f1: Difference of macro-F1 by paired bootstrap.
        accuracy: Difference of accuracy by McNemar's test.
        outcome: `BETTER` or `WORSE` if the interval of macro-F1 leaves 0 out, else `EQUAL`.
        sentence: The outcome in words.
    """

    other: str
    split: str
    rows: int
    macro_f1: Difference
    accuracy: McNemar
    outcome: str
    sentence: str

    @property
    def p_worse(self) -> float:
        """The lower p-value of the tests by which the model is worse; 1 if it is by neither."""
        tests = (self.macro_f1, self.accuracy)
        return min((each.p for each in tests if each.value < 0), default=1.0)


@dataclass(frozen=True)
class ChampionScores:
    """The model in service when this one was evaluated.

    Args:
        run_id: The run that produced it.
        version: The sha256 that identifies it.
        generation: Generation of the registry's pointer when it was read; if the pointer has
            moved since, this evaluation does not justify replacing it.
        scores: Its scores on the test split; None if its labels are not the task's.
    """

    run_id: str
    version: str
    generation: int
    scores: Scores | None


@dataclass(frozen=True)
class Rule:
    """One rule of the gate, applied.

    Args:
        name: Its key in the gate file.
        value: The measured value; None if there is nothing to measure.
        threshold: The value that the rule requires.
        passed: Whether the rule is met.
        sentence: The outcome in words.
    """

    name: str
    value: float | None
    threshold: float
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of all rules; the model passes if it meets every one."""

    passed: bool
    rules: tuple[Rule, ...]

    @property
    def broken(self) -> tuple[Rule, ...]:
        """The rules that are not met."""
        return tuple(rule for rule in self.rules if not rule.passed)

    @property
    def summary(self) -> str:
        """The outcome and the sentence of every rule, on one line."""
        sentences = " ".join(rule.sentence for rule in self.rules) or "The gate requires nothing."
        return f"{'passed' if self.passed else 'failed'}. {sentences}"
