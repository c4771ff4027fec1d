import numpy as np
import pytest

from components.artifacts.model.classifier import Classifier
from components.errors import InputError

TEXTS = [
    "I am so happy!",
    "no",
    "Somebody has eaten the whole of my birthday cake again, and I fume.",
]


def test_a_text_gets_the_same_answer_alone_as_among_others(model_folder):
    classifier = Classifier(model_folder)
    alone = [classifier.probabilities([text])[0] for text in TEXTS]

    np.testing.assert_array_equal(classifier.probabilities(TEXTS), alone)


def test_full_precision_says_nearly_the_same(model_folder):
    int8, fp32 = (Classifier(model_folder, precision=name) for name in ("int8", "fp32"))

    assert int8.version == fp32.version
    np.testing.assert_allclose(int8.probabilities(TEXTS), fp32.probabilities(TEXTS), atol=0.2)


def test_probabilities_are_those_of_the_logits_divided_by_the_temperature(model_folder):
    classifier = Classifier(model_folder)
    logits = classifier.logits(TEXTS) / classifier.temperature
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    assert classifier.temperature != 1
    np.testing.assert_allclose(classifier.probabilities(TEXTS), expected, rtol=1e-5)


def test_an_unknown_precision_is_refused(model_folder):
    with pytest.raises(
        InputError, match=r"precision='int4': is not known\. Use one of: fp32, int8"
    ):
        Classifier(model_folder, precision="int4")
