import numpy as np
import pytest

from components.artifacts.model.attribution import attributions, log_odds
from tests.fakes.word_classifier import WordClassifier

CLASSIFIER = WordClassifier(
    labels=("joy", "fear", "anger"),
    weights={"happy": (2, 0, 0), "terrifying": (0, 3, 0), "furious": (0, 0, 2)},
    temperature=1.5,
)
JOY, FEAR, ANGER = range(3)


def test_a_weight_is_the_loss_of_log_odds_without_the_word():
    (words,) = attributions(CLASSIFIER, ["i am so happy, happy today"], [JOY])

    assert [each.word for each in words] == ["i", "am", "so", "happy,", "happy", "today"]
    shares = CLASSIFIER.probabilities(["happy", ""])[:, JOY].astype(float)
    odds = np.log(shares / (1 - shares))
    assert [each.weight for each in words] == pytest.approx(
        [0, 0, 0, 0, odds[0] - odds[1], 0], abs=1e-5
    )


def test_a_word_for_another_label_weighs_less_than_nothing():
    (words,) = attributions(CLASSIFIER, ["something terrifying"], [JOY])

    assert {each.word: each.weight < 0 for each in words} == {
        "something": False,
        "terrifying": True,
    }


def test_each_text_is_weighed_for_its_own_label():
    texts = ["i am furious", "what a terrifying surprise", "i am furious"]

    angry, afraid, joyful = attributions(CLASSIFIER, texts, [ANGER, FEAR, JOY])

    assert [each.word for each in afraid] == ["what", "a", "terrifying", "surprise"]
    assert attributions(CLASSIFIER, ["what a terrifying surprise"], [FEAR]) == [afraid]
    assert max(each.weight for each in angry) > 0 > min(each.weight for each in joyful)


def test_words_beyond_the_bound_weigh_nothing():
    (words,) = attributions(CLASSIFIER, ["happy " * 70], [JOY])

    assert len(words) == 70
    assert {each.weight for each in words[64:]} == {0.0}
    assert all(each.weight > 0 for each in words[:64])


def test_a_text_without_words_has_no_weights():
    assert attributions(CLASSIFIER, ["", "  "], [JOY, FEAR]) == [[], []]


def test_log_odds_do_not_overflow():
    odds = log_odds(np.array([[800.0, -800.0], [0.0, 0.0]], np.float32), np.array([0, 1]))

    assert odds.tolist() == [1600.0, 0.0]
