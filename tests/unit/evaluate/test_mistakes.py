import numpy as np
import pytest

from components.artifacts.dataset import Split
from components.artifacts.model.classifier import Classifier
from components.evaluate.measure.mistakes import most_confident_mistakes


@pytest.fixture(scope="module")
def classifier(model_folder):
    return Classifier(model_folder)


def found(classifier, texts, labels, probabilities):
    split = Split(texts, np.array(labels))
    return most_confident_mistakes(classifier, split, np.array(probabilities), ("red", "green"))


def test_the_surest_mistakes_come_first_and_right_answers_are_left_out(classifier):
    probabilities = [[0.6, 0.4], [0.1, 0.9], [0.01, 0.99], [0.3, 0.7]]

    mistakes = found(classifier, ["a", "b c", "d", "e"], [1, 0, 1, 0], probabilities)

    assert [mistake.row for mistake in mistakes] == [1, 3, 0]
    assert [mistake.text for mistake in mistakes] == ["b c", "e", "a"]
    assert (mistakes[0].true, mistakes[0].predicted) == ("red", "green")
    assert mistakes[0].probability == pytest.approx(0.9)
    assert [each.word for each in mistakes[0].words] == ["b", "c"]


def test_at_most_twenty_are_listed(classifier):
    assert len(found(classifier, ["x"] * 50, [1] * 50, [[0.9, 0.1]] * 50)) == 20


def test_a_faultless_model_has_none(classifier):
    assert found(classifier, ["a"], [0], [[1.0, 0.0]]) == ()
