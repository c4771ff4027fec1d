"""Simple classifiers that a trained model has to be worth more than."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from components.artifacts.dataset import Dataset

MAJORITY = "majority"
TFIDF = "tfidf_logistic_regression"

# A weaker penalty than scikit-learn's default 1: it scores higher on the validation rows of
# dair-ai/emotion, and a baseline that is held down is none.
_INVERSE_PENALTY = 10.0

logger = logging.getLogger(__name__)


def baseline_probabilities(dataset: Dataset, seed: int) -> dict[str, NDArray[np.float64]]:
    """Train the baselines on the train split and classify the test split.

    Args:
        dataset: The rows that the model was trained and is tested on.
        seed: Seed of the logistic regression.

    Returns:
        Probabilities of shape (test rows, labels) by baseline: `MAJORITY` gives every text the
        labels' shares of the train split, so that it always answers the most frequent one;
        `TFIDF` is a logistic regression on TF-IDF weighted words.
    """
    baselines = {
        MAJORITY: DummyClassifier(strategy="prior"),
        TFIDF: make_pipeline(
            TfidfVectorizer(sublinear_tf=True),
            LogisticRegression(C=_INVERSE_PENALTY, max_iter=1000, random_state=seed),
        ),
    }
    train = dataset.train
    logger.info("evaluate: training the baselines on %d rows", len(train.texts))
    return {
        name: _probabilities(baseline.fit(train.texts, train.labels), dataset)
        for name, baseline in baselines.items()
    }


def _probabilities(baseline: Any, dataset: Dataset) -> NDArray[np.float64]:
    """What a baseline says of the test split; a label that it has never seen gets 0."""
    probabilities = np.zeros((len(dataset.test.texts), len(dataset.labels)))
    probabilities[:, baseline.classes_] = baseline.predict_proba(dataset.test.texts)
    return probabilities
