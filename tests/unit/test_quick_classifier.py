"""A classifier that learns in seconds, by words and by meaning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.model.encoder import SentenceEncoder
from components.quick_classifier import Labelled, QuickClassifier, cross_validated

GLAD = ["I am so glad today", "What a lovely day", "We laughed all evening", "This made me smile"]
SAD = ["I miss him so much", "She cried all night", "We buried our dog", "I feel empty inside"]
ROWS = Labelled([*GLAD, *SAD], [0] * 4 + [1] * 4)


@pytest.fixture(scope="module")
def encoder(encoder_folder):
    return SentenceEncoder(encoder_folder)


def test_meaning_tells_what_words_cannot(encoder):
    unseen = ["Tears ran down her cheeks", "The party was wonderful"]
    by_words = QuickClassifier().fit(ROWS.texts, ROWS.labels).probabilities(unseen)
    by_both = QuickClassifier(encoder).fit(ROWS.texts, ROWS.labels).probabilities(unseen)
    assert by_both.argmax(axis=1).tolist() == [1, 0]
    # None of its words is known.
    assert by_words[0] == pytest.approx([0.5, 0.5], abs=0.01)
    assert by_both[0, 1] > 0.55
    assert by_both.sum(axis=1) == pytest.approx([1, 1])


def test_of_further_texts_only_the_words_are_learnt():
    embedded = []

    def embed(texts):
        embedded.extend(texts)
        return np.ones((len(texts), 2), dtype=np.float32)

    further = Labelled(["Nobody said a word about the flabbergasting"], [1])
    classifier = QuickClassifier(embed).fit(GLAD[:2] + SAD[:2], [0, 0, 1, 1], further)
    assert set(embedded) == {*GLAD[:2], *SAD[:2]}
    ((_, seen),) = classifier.probabilities(["flabbergasting"])
    assert seen > 0.5


def test_a_label_that_only_further_texts_have_is_told_too(encoder):
    further = Labelled(["A storm is coming", "Thunder and lightning"], [2, 2])
    classifier = QuickClassifier(encoder).fit(ROWS.texts, ROWS.labels, further)
    assert classifier.labels.tolist() == [0, 1, 2]
    assert classifier.probabilities(["thunder and lightning"]).argmax() == 2
    known = classifier.of_labels(["thunder and lightning", "I miss him"], [2, 1])
    assert (known > 0.5).all()


def test_of_a_label_that_was_not_learnt_nothing_is_said():
    classifier = QuickClassifier().fit(ROWS.texts, ROWS.labels)
    assert np.isnan(classifier.of_labels(["anything", "anything"], [2, 7])).all()
    assert classifier.probabilities([]).shape == (0, 2)


def test_cross_validation_learns_nothing_from_the_text_it_judges():
    # Each text has a word of its own: what has not seen the text cannot know its label.
    texts = [f"word{number}" for number in range(30)]
    labels = [number % 2 for number in range(30)]
    said = cross_validated(Labelled(texts, labels), 2)
    assert said == pytest.approx(np.full((30, 2), 0.5), abs=0.1)
    assert QuickClassifier().fit(texts, labels).of_labels(texts, labels).min() > 0.6


@given(st.lists(st.integers(0, 3), min_size=1, max_size=25))
def test_cross_validation_says_something_of_every_label_with_three_texts(labels):
    said = cross_validated(Labelled([f"a text {n}" for n in range(len(labels))], labels), 4)
    counts = np.bincount(labels, minlength=4)
    judged = ~np.isnan(said).any(axis=1)
    enough = {label for label in range(4) if counts[label] >= 3}
    wanted = [label in enough and len(enough) > 1 for label in labels]
    assert judged.tolist() == wanted
    assert said[judged].sum(axis=1) == pytest.approx(np.ones(judged.sum()))


@pytest.mark.parametrize("texts", ["abcdef", "🙂🙃😀😁😂😃", "123456", "!?.,;:"])
def test_texts_of_one_character_can_be_learnt(texts):
    labels = [0, 1] * 3

    assert QuickClassifier().fit([*texts], labels).probabilities([*texts]).shape == (6, 2)
    assert not np.isnan(cross_validated(Labelled([*texts], labels), 2)).any()
