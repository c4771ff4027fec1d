"""The model against every other classifier, on the same rows."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from components.artifacts.dataset import TEST, Dataset
from components.artifacts.evaluation.comparison import (
    CHAMPION,
    MAJORITY,
    OUT_OF_DOMAIN,
    REAL_ONLY,
    TFIDF,
    Comparison,
)
from components.artifacts.evaluation.scores import Scores
from components.evaluate.inputs import EvaluationInputs
from components.evaluate.measure.comparison import Rows, compare
from components.evaluate.measure.scores import predict, score
from components.evaluate.settings import EvaluateSettings
from components.texts import telling_words

# A weaker penalty than scikit-learn's default 1: it scores higher on the validation rows of
# dair-ai/emotion, and a handicapped baseline proves nothing.
_INVERSE_PENALTY = 10.0

_log = logging.getLogger(__name__)


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


def baseline_probabilities(dataset: Dataset, seed: int) -> dict[str, NDArray[np.float64]]:
    """Train the baselines, which a model must outdo to be worth its cost; classify the test split.

    Args:
        dataset: The data set of the model.
        seed: Seed of the logistic regression.

    Returns:
        Probabilities of shape (test rows, labels) by baseline: `MAJORITY` gives every text the
        label shares of the train split, so it always predicts the most frequent label; `TFIDF`
        is a logistic regression on TF-IDF weighted words.
    """
    baselines = {
        MAJORITY: DummyClassifier(strategy="prior"),
        TFIDF: make_pipeline(
            TfidfVectorizer(tokenizer=telling_words, token_pattern=None, sublinear_tf=True),
            LogisticRegression(C=_INVERSE_PENALTY, max_iter=1000, random_state=seed),
        ),
    }
    train, test = dataset.train, dataset.test
    _log.info("evaluate: training the baselines on %d rows", len(train.texts))
    predictions = {}
    for name, baseline in baselines.items():
        baseline.fit(train.texts, train.labels)
        # A label that train lacks gets 0.
        predictions[name] = np.zeros((len(test.texts), len(dataset.labels)))
        predictions[name][:, baseline.classes_] = baseline.predict_proba(test.texts)
    return predictions


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
