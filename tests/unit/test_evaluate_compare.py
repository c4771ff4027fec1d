import numpy as np

from components.evaluate.compare import MAJORITY, TFIDF, score_baselines
from components.evaluate.inputs import Dataset, Split

LABELS = ("hot", "cold", "never-seen")
TRAIN = Split(
    ["sun and sand", "hot sun", "desert sun", "snow and ice", "cold ice"] * 10,
    np.array([0, 0, 0, 1, 1] * 10),
)
TEST = Split(["sun", "the ice", "ice and snow", "a desert"], np.array([0, 1, 1, 0]))
DATASET = Dataset(LABELS, {}, TRAIN, TEST, TEST)


def test_the_majority_baseline_always_answers_the_most_frequent_label():
    scores = score_baselines(DATASET, seed=0)[MAJORITY]

    assert scores.confusion_matrix == ((2, 0, 0), (2, 0, 0), (0, 0, 0))


def test_the_word_baseline_learns_words():
    scores = score_baselines(DATASET, seed=0)[TFIDF]

    assert scores.accuracy == 1
    assert list(scores.per_label) == list(LABELS)


def test_the_baselines_are_the_same_each_time():
    assert score_baselines(DATASET, seed=3) == score_baselines(DATASET, seed=3)
