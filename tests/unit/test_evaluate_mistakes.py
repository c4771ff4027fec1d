import numpy as np
import pytest

from components.evaluate.mistakes import most_confident_mistakes

LABELS = ("red", "green")


def test_the_surest_mistakes_come_first_and_right_answers_are_left_out():
    probabilities = np.array([[0.6, 0.4], [0.1, 0.9], [0.01, 0.99], [0.3, 0.7]])

    mistakes = most_confident_mistakes(
        ["a", "b", "c", "d"], np.array([1, 0, 1, 0]), probabilities, LABELS
    )

    assert [mistake.text for mistake in mistakes] == ["b", "d", "a"]
    assert (mistakes[0].true, mistakes[0].predicted) == ("red", "green")
    assert mistakes[0].probability == pytest.approx(0.9)


def test_at_most_twenty_are_listed():
    probabilities = np.tile([0.9, 0.1], (50, 1))

    mistakes = most_confident_mistakes(["x"] * 50, np.ones(50, int), probabilities, LABELS)

    assert len(mistakes) == 20


def test_a_faultless_model_has_none():
    assert most_confident_mistakes(["a"], np.array([0]), np.array([[1.0, 0.0]]), LABELS) == ()
