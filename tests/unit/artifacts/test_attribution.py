import numpy as np
import pytest

from components.artifacts.model.attribution import attributions, log_odds
from components.artifacts.model.classifier import Classifier


@pytest.fixture(scope="module")
def classifier(model_folder):
    return Classifier(model_folder)


def test_a_weight_is_what_leaving_the_word_out_costs(classifier):
    text, label = "i am so happy today", classifier.labels.index("joy")

    (words,) = attributions(classifier, [text], [label])

    assert [each.word for each in words] == text.split()
    shares = classifier.probabilities([text, "i am so today"])[:, label].astype(float)
    odds = np.log(shares / (1 - shares))
    assert words[3].weight == pytest.approx(odds[0] - odds[1], abs=0.02)


def test_the_telling_word_matters_most(classifier):
    (words,) = attributions(
        classifier, ["there is something terrifying"], [classifier.labels.index("fear")]
    )

    assert max(words, key=lambda each: each.weight).word == "terrifying"


def test_each_text_is_weighed_for_its_own_label(classifier):
    texts = ["i am furious", "what a lovely surprise", "i am furious"]

    found = attributions(classifier, texts, [3, 5, 0])

    assert [[each.word for each in words] for words in found] == [text.split() for text in texts]
    alone = attributions(classifier, [texts[1]], [5])[0]
    assert [each.weight for each in found[1]] == pytest.approx(
        [each.weight for each in alone], abs=0.05
    )
    assert [each.weight for each in found[0]] != [each.weight for each in found[2]]


def test_words_beyond_the_bound_weigh_nothing(classifier):
    (words,) = attributions(classifier, ["word " * 70], [0])

    assert len(words) == 70
    assert {each.weight for each in words[64:]} == {0.0}


def test_a_text_without_words_has_no_weights(classifier):
    assert attributions(classifier, ["", "  "], [0, 1]) == [[], []]


def test_log_odds_do_not_overflow():
    odds = log_odds(np.array([[800.0, -800.0], [0.0, 0.0]], np.float32), np.array([0, 1]))

    assert odds.tolist() == [1600.0, 0.0]
