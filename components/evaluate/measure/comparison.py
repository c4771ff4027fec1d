"""Tests of whether two classifiers differ on the same rows by more than chance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from components.artifacts.dataset import TEST
from components.artifacts.evaluation.comparison import (
    BETTER,
    CHAMPION,
    EQUAL,
    MAJORITY,
    OUT_OF_DOMAIN,
    REAL_ONLY,
    TFIDF,
    WORSE,
    Comparison,
    Difference,
    McNemar,
)
from components.artifacts.evaluation.scores import Interval
from components.evaluate.measure.intervals import recall_and_f1, resample

_WORDS = {BETTER: "better than", EQUAL: "not measurably different from", WORSE: "worse than"}
_OTHERS = {
    MAJORITY: "always predicting the most frequent label",
    TFIDF: "TF-IDF with logistic regression",
    CHAMPION: "the champion",
}
_ABLATION = {
    BETTER: "Synthetic rows helped",
    EQUAL: "Synthetic rows made no measurable difference",
    WORSE: "Synthetic rows hurt",
}
_ROWS = {TEST: "the test split", OUT_OF_DOMAIN: "out-of-domain text"}


@dataclass(frozen=True)
class Rows:
    """Rows on which two classifiers are compared.

    Args:
        split: `TEST` or `OUT_OF_DOMAIN`.
        truth: True label ids, shape (rows,).
        model: Label ids that the model predicts, shape (rows,).
        label_count: Number of labels.
    """

    split: str
    truth: NDArray[np.int64]
    model: NDArray[np.int64]
    label_count: int


def compare(
    rows: Rows, predicted: NDArray[np.int64], other: str, resamples: int, seed: int
) -> Comparison:
    """Compare the model with another classifier, row by row.

    Args:
        rows: The rows, with the model's predictions.
        predicted: Label ids that the other classifier predicts, shape (rows,).
        other: Its name: `MAJORITY`, `TFIDF`, `REAL_ONLY` or `CHAMPION`.
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling.
    """
    macro_f1 = _macro_f1(rows, predicted, resamples, seed)
    accuracy = _mcnemar(rows.model == rows.truth, predicted == rows.truth)
    low, high = macro_f1.interval.low, macro_f1.interval.high
    outcome = BETTER if low > 0 else WORSE if high < 0 else EQUAL
    sentence = (
        f"{_claim(other, outcome)} on {_ROWS[rows.split]}: macro-F1 {100 * macro_f1.value:+.1f} "
        f"points (95 % interval {100 * low:+.1f} to {100 * high:+.1f}), accuracy "
        f"{100 * accuracy.value:+.1f} points (McNemar {_p(accuracy.p)})."
    )
    return Comparison(other, rows.split, len(rows.truth), macro_f1, accuracy, outcome, sentence)


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"


def _claim(other: str, outcome: str) -> str:
    if other == REAL_ONLY:
        return _ABLATION[outcome]
    return f"The model is {_WORDS[outcome]} {_OTHERS[other]}"


def _macro_f1(rows: Rows, predicted: NDArray[np.int64], resamples: int, seed: int) -> Difference:
    """Paired bootstrap: Efron and Tibshirani, An Introduction to the Bootstrap, 1993."""

    def difference(truth: Any, model: Any, other: Any, axis: int = -1) -> Any:  # noqa: ARG001
        f1s = [recall_and_f1(truth, each, rows.label_count)[1] for each in (model, other)]
        return (f1s[0] - f1s[1]).mean(axis=0)

    columns = (rows.truth, rows.model, predicted)
    result = resample(columns, difference, resamples, seed)
    differences = result.bootstrap_distribution
    tail = min((differences <= 0).mean(), (differences >= 0).mean())
    # If no sample falls in the tail, p is only known to be below 1 / resamples.
    p = float(np.clip(2 * tail, 1 / resamples, 1))
    interval = Interval(*map(float, result.confidence_interval))
    return Difference(float(difference(*columns)), interval, p)


def _mcnemar(model_right: NDArray[np.bool_], other_right: NDArray[np.bool_]) -> McNemar:
    """Exact McNemar test, Psychometrika 12, 1947: a binomial test of the rows at odds."""
    only_model = int((model_right & ~other_right).sum())
    only_other = int((other_right & ~model_right).sum())
    at_odds = only_model + only_other
    p = float(binomtest(only_model, at_odds).pvalue) if at_odds else 1.0
    return McNemar((only_model - only_other) / len(model_right), only_model, only_other, p)
