import numpy as np

from components.artifacts.dataset import Dataset, Description, Split
from components.artifacts.evaluation.comparison import MAJORITY, TFIDF
from components.evaluate.measure.rivals import baseline_probabilities

LABELS = ("hot", "never-seen", "cold")
TRAIN = Split(
    ["sun and sand", "hot sun", "desert sun", "snow and ice", "cold ice"] * 10,
    np.array([0, 0, 0, 2, 2] * 10),
)
TEST = Split(["sun", "the ice", "ice and snow", "a desert"], np.array([0, 2, 2, 0]))
DATASET = Dataset(Description(labels=LABELS, rows={}), TRAIN, TEST, TEST)


def test_the_majority_baseline_always_answers_the_most_frequent_label():
    probabilities = baseline_probabilities(DATASET, seed=0)[MAJORITY]

    assert probabilities.tolist() == [[0.6, 0, 0.4]] * 4


def test_the_word_baseline_learns_words():
    probabilities = baseline_probabilities(DATASET, seed=0)[TFIDF]

    assert probabilities.argmax(axis=1).tolist() == TEST.labels.tolist()
    assert probabilities.shape == (4, 3)
    assert not probabilities[:, 1].any()


def test_the_baselines_are_the_same_each_time():
    first, second = (baseline_probabilities(DATASET, seed=3) for _ in range(2))

    assert all((first[name] == second[name]).all() for name in (MAJORITY, TFIDF))


def test_texts_without_a_word_of_two_letters_still_train_the_baselines():
    split = Split(["a", "🙂", "!", "b"] * 5, np.array([0, 0, 2, 2] * 5))
    dataset = Dataset(Description(labels=LABELS, rows={}), split, split, split)

    assert (baseline_probabilities(dataset, 0)[TFIDF].argmax(axis=1) == split.labels).all()
