"""Simple classifiers that a trained model has to be worth more than."""

import logging

from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from components.evaluate.inputs import Dataset
from components.evaluate.metrics import Scores, score

MAJORITY = "majority"
TFIDF = "tfidf_logistic_regression"

logger = logging.getLogger(__name__)


def score_baselines(dataset: Dataset, seed: int) -> dict[str, Scores]:
    """Train the baselines on the train split and score them on the test split.

    Args:
        dataset: The rows that the model was trained and is tested on.
        seed: Seed of the logistic regression.

    Returns:
        Scores on the test split by baseline: `MAJORITY` always predicts the most frequent
        label, `TFIDF` is a logistic regression on TF-IDF weighted words and word pairs.
    """
    baselines = {
        MAJORITY: DummyClassifier(strategy="most_frequent"),
        TFIDF: make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            LogisticRegression(max_iter=1000, random_state=seed),
        ),
    }
    train, test = dataset.train, dataset.test
    logger.info("evaluate: training the baselines on %d rows", len(train.texts))
    return {
        name: score(
            test.labels,
            baseline.fit(train.texts, train.labels).predict(test.texts),
            dataset.labels,
        )
        for name, baseline in baselines.items()
    }
