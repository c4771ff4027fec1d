"""The model against every other classifier, on the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.evaluation.comparison import (
    CHAMPION,
    OUT_OF_DOMAIN,
    REAL_ONLY,
    TEST,
    Comparison,
)
from components.artifacts.evaluation.scores import Scores
from components.evaluate.given import Given
from components.evaluate.measure.baselines import baseline_probabilities
from components.evaluate.measure.comparison import Rows, compare
from components.evaluate.measure.predict import predict
from components.evaluate.measure.scores import score
from components.evaluate.settings import EvaluateSettings


@dataclass(frozen=True)
class Rivals:
    """How the others do, and whether the model is better.

    Args:
        test: Scores of every other classifier on the test split, by name.
        out_of_domain: Scores of the model on out-of-domain text; None if there is none.
        comparisons: The model against each of the others.
    """

    test: Mapping[str, Scores]
    out_of_domain: Scores | None
    comparisons: tuple[Comparison, ...]

    @property
    def champion(self) -> Comparison | None:
        """The model against the champion; None if there is none to compare it with."""
        return next((each for each in self.comparisons if each.other == CHAMPION), None)


def compare_with_rivals(
    settings: EvaluateSettings, given: Given, test: NDArray[np.float32]
) -> Rivals:
    """Compare the model with the baselines, the model without synthetic rows and the champion.

    Args:
        settings: Seed and number of bootstrap samples.
        given: The classifiers and the rows.
        test: What the model says of the test split, shape (rows, labels).
    """
    split, labels = given.dataset.test, given.task.names
    others: dict[str, NDArray[Any]] = dict(baseline_probabilities(given.dataset, settings.seed))
    if given.real_only:
        others[REAL_ONLY] = predict(given.real_only, split, "test, without synthetic rows")
    if given.in_service and given.in_service.classifier:
        others[CHAMPION] = predict(given.in_service.classifier, split, "test, champion")
    rows = Rows(TEST, split.labels, test.argmax(axis=1), len(labels))
    comparisons = [_compare(settings, rows, other, name) for name, other in others.items()]
    scores, ablation = _out_of_domain(settings, given)
    return Rivals(
        test={name: score(split.labels, other, labels) for name, other in others.items()},
        out_of_domain=scores,
        comparisons=(*comparisons, *ablation),
    )


def _out_of_domain(
    settings: EvaluateSettings, given: Given
) -> tuple[Scores | None, tuple[Comparison, ...]]:
    split = given.out_of_domain
    if split is None:
        return None, ()
    model = predict(given.served, split, "out-of-domain text")
    scores = score(split.labels, model, given.task.names)
    if given.real_only is None:
        return scores, ()
    other = predict(given.real_only, split, "out-of-domain text, without synthetic rows")
    rows = Rows(OUT_OF_DOMAIN, split.labels, model.argmax(axis=1), len(given.task.names))
    return scores, (_compare(settings, rows, other, REAL_ONLY),)


def _compare(
    settings: EvaluateSettings, rows: Rows, probabilities: NDArray[Any], other: str
) -> Comparison:
    predicted = probabilities.argmax(axis=1)
    return compare(rows, predicted, other, settings.bootstrap_samples, settings.seed)
