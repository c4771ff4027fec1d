import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.dataset import Split
from components.evaluate.measure.robustness import (
    CHANGES,
    NEGATION,
    negate,
    robustness,
    typos,
    without_punctuation,
)
from tests.fakes.word_classifier import WordClassifier

TEXTS = [
    "i am so happy about the garden, it is lovely!",
    "we lost everything in the flood",
    "she was terrified of the dark cellar",
    "he kept shouting at the clerk",
    "they feel wonderful after the walk",
    "nobody told me about the party",
]

SAD, GLAD = range(2)
# The emoji speaks for one label, as if the model had learnt it.
WEIGHTS = {"happy": (0, 2), "wonderful": (0, 2), "terrified": (2, 0), "lost": (2, 0), "📌": (0, 5)}
CLASSIFIER = WordClassifier(("sad", "glad"), WEIGHTS)


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("i feel happy", "i do not feel happy"),
        ("I am happy and you are sad", "I am not happy and you are sad"),
        ("she feels lost", "she does not feel lost"),
        ("he felt lost", "he did not feel lost"),
        ("im feeling lost", "im feeling not lost"),
        ("what a day", "what a day"),
    ],
)
def test_the_first_verb_is_negated(text, negated):
    assert negate(text) == negated


def test_a_fifth_of_the_words_is_misspelt():
    text = "several people wandered slowly through crowded gardens before evening prayers"

    changed = typos(text, np.random.default_rng(0))

    pairs = list(zip(text.split(), changed.split(), strict=True))
    assert sum(old != new for old, new in pairs) == 2
    assert all(old[0] == new[0] and old[-1] == new[-1] for old, new in pairs)


def test_the_same_seed_misspells_alike():
    changed = [typos(TEXTS[1], np.random.default_rng(seed)) for seed in (1, 1, 2)]

    assert changed[0] == changed[1] != changed[2]


def test_punctuation_goes_and_the_rest_stays():
    assert without_punctuation("Don't go, please!") == "Dont go please"


@given(st.text())
def test_any_text_can_be_changed(text):
    for change in CHANGES.values():
        assert isinstance(change(text, np.random.default_rng(0)), str)


@pytest.fixture(scope="module")
def measured():
    probabilities = CLASSIFIER.probabilities(TEXTS)
    # The model's own predictions as labels: it is right on every unchanged text.
    split = Split(TEXTS, probabilities.argmax(axis=1))
    return split, robustness(CLASSIFIER, split, probabilities, 0)


def test_accuracy_after_a_change_is_that_of_the_changed_texts(measured):
    split, results = measured

    assert [each.name for each in results] == list(CHANGES)
    added = next(each for each in results if each.name == "a neutral emoji added")
    after = CLASSIFIER.probabilities([f"{text} 📌" for text in TEXTS]).argmax(axis=1)
    assert set(split.labels) == {SAD, GLAD}
    assert set(after) == {GLAD}
    assert added.rows == len(TEXTS)
    assert added.accuracy == pytest.approx((after == split.labels).mean())
    assert added.drop == pytest.approx(100 * (1 - added.accuracy))
    assert added.changed == pytest.approx(1 - added.accuracy)


def test_only_texts_that_a_change_alters_count(measured):
    results = {each.name: each for each in measured[1]}

    assert results["punctuation removed"].rows == 1
    assert results["punctuation removed"].before == TEXTS[0]
    assert results["punctuation removed"].after == without_punctuation(TEXTS[0])


def test_a_negation_is_judged_only_by_changed_predictions(measured):
    results = {each.name: each for each in measured[1]}

    negation = results.pop(NEGATION)
    assert (negation.accuracy, negation.drop, negation.rows) == (None, None, 3)
    assert 0 <= negation.changed <= 1
    assert all(each.accuracy is not None for each in results.values())


def test_a_change_that_fits_no_text_is_left_out():
    split = Split(["nobody spoke"], np.array([0]))

    results = robustness(CLASSIFIER, split, np.eye(2)[[0]], 0)

    assert not {NEGATION, "punctuation removed"} & {each.name for each in results}


def test_large_splits_are_sampled():
    split = Split(["no"] * 600, np.zeros(600, int))

    results = robustness(CLASSIFIER, split, np.eye(2)[[0] * 600], 0)

    assert {each.rows for each in results} == {500}
