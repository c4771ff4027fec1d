"""Simple classifiers, which a trained model must outdo to be worth its cost."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from components.artifacts.dataset import Dataset
from components.artifacts.evaluation.comparison import MAJORITY, TFIDF

# A weaker penalty than scikit-learn's default 1: it scores higher on the validation rows of
# dair-ai/emotion, and a handicapped baseline proves nothing.
_INVERSE_PENALTY = 10.0

_log = logging.getLogger(__name__)


def baseline_probabilities(dataset: Dataset, seed: int) -> dict[str, NDArray[np.float64]]:
    """Train the baselines on the train split and classify the test split.

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
            TfidfVectorizer(sublinear_tf=True),
            LogisticRegression(C=_INVERSE_PENALTY, max_iter=1000, random_state=seed),
        ),
    }
    train = dataset.train
    _log.info("evaluate: training the baselines on %d rows", len(train.texts))
    return {
        name: _probabilities(baseline.fit(train.texts, train.labels), dataset)
        for name, baseline in baselines.items()
    }


def _probabilities(baseline: Any, dataset: Dataset) -> NDArray[np.float64]:
    """Classify the test split; a label that train lacks gets 0."""
    probabilities = np.zeros((len(dataset.test.texts), len(dataset.labels)))
    probabilities[:, baseline.classes_] = baseline.predict_proba(dataset.test.texts)
    return probabilities
