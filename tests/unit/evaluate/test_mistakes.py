import numpy as np
import pytest

from components.artifacts.dataset import Split
from components.evaluate.measure.mistakes import most_confident_mistakes
from tests.fakes.word_classifier import WordClassifier

LABELS = ("red", "green")
CLASSIFIER = WordClassifier(LABELS, {"c": (0, 1)})


def found(texts, labels, probabilities):
    split = Split(texts, np.array(labels))
    return most_confident_mistakes(CLASSIFIER, split, np.array(probabilities), LABELS)


def test_the_surest_mistakes_come_first_and_right_predictions_are_left_out():
    probabilities = [[0.6, 0.4], [0.1, 0.9], [0.01, 0.99], [0.3, 0.7]]

    mistakes = found(["a", "b c", "d", "e"], [1, 0, 1, 0], probabilities)

    assert [(mistake.row, mistake.text) for mistake in mistakes] == [(1, "b c"), (3, "e"), (0, "a")]
    surest = mistakes[0]
    assert (surest.true, surest.predicted) == ("red", "green")
    assert surest.probability == pytest.approx(0.9)
    assert {each.word: each.weight for each in surest.words} == pytest.approx({"b": 0, "c": 1})


def test_at_most_twenty_are_listed():
    assert len(found(["x"] * 50, [1] * 50, [[0.9, 0.1]] * 50)) == 20


def test_a_faultless_model_has_none():
    assert found(["a"], [0], [[1.0, 0.0]]) == ()
