"""The model against every other classifier, on the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import TEST
from components.artifacts.evaluation.comparison import (
    CHAMPION,
    OUT_OF_DOMAIN,
    REAL_ONLY,
    Comparison,
)
from components.artifacts.evaluation.scores import Scores
from components.evaluate.inputs import EvaluationInputs
from components.evaluate.measure.baselines import baseline_probabilities
from components.evaluate.measure.comparison import Rows, compare
from components.evaluate.measure.predict import predict
from components.evaluate.measure.scores import score
from components.evaluate.settings import EvaluateSettings


@dataclass(frozen=True)
class Rivals:
    """Scores of the other classifiers, and the model compared with them.

    Args:
        test: Scores of every other classifier on the test split, by name.
        out_of_domain: Scores of the model on out-of-domain text; None if there is none.
        comparisons: The model against each of the others.
    """

    test: Mapping[str, Scores]
    out_of_domain: Scores | None
    comparisons: tuple[Comparison, ...]

    @property
    def against_champion(self) -> Comparison | None:
        """The model against the champion; None if they were not compared."""
        return next((each for each in self.comparisons if each.other == CHAMPION), None)


def compare_with_rivals(
    settings: EvaluateSettings, inputs: EvaluationInputs, test: NDArray[np.float32]
) -> Rivals:
    """Compare the model with the baselines, the model without synthetic rows and the champion.

    Args:
        settings: Seed and number of bootstrap samples.
        inputs: The classifiers and the rows.
        test: The model's predictions on the test split, shape (rows, labels).
    """
    split, labels = inputs.dataset.test, inputs.task.names
    others: dict[str, NDArray[Any]] = dict(baseline_probabilities(inputs.dataset, settings.seed))
    if inputs.real_only:
        others[REAL_ONLY] = predict(inputs.real_only, split, "test, without synthetic rows")
    if inputs.in_service and inputs.in_service.classifier:
        others[CHAMPION] = predict(inputs.in_service.classifier, split, "test, champion")
    rows = Rows(TEST, split.labels, test.argmax(axis=1), len(labels))
    comparisons = [_compare(settings, rows, other, name) for name, other in others.items()]
    scores, ablation = _out_of_domain(settings, inputs)
    return Rivals(
        test={name: score(split.labels, other, labels) for name, other in others.items()},
        out_of_domain=scores,
        comparisons=(*comparisons, *ablation),
    )


def _out_of_domain(
    settings: EvaluateSettings, inputs: EvaluationInputs
) -> tuple[Scores | None, tuple[Comparison, ...]]:
    split = inputs.out_of_domain
    if split is None:
        return None, ()
    model = predict(inputs.served, split, "out-of-domain text")
    scores = score(split.labels, model, inputs.task.names)
    if inputs.real_only is None:
        return scores, ()
    other = predict(inputs.real_only, split, "out-of-domain text, without synthetic rows")
    rows = Rows(OUT_OF_DOMAIN, split.labels, model.argmax(axis=1), len(inputs.task.names))
    return scores, (_compare(settings, rows, other, REAL_ONLY),)


def _compare(
    settings: EvaluateSettings, rows: Rows, probabilities: NDArray[Any], other: str
) -> Comparison:
    predicted = probabilities.argmax(axis=1)
    return compare(rows, predicted, other, settings.bootstrap_samples, settings.seed)
