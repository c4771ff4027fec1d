import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.texts import NearTexts, first_matches, fold, word_pairs, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I'm so HAPPY!", "i m so happy"),
        ("  two\twords \n", "two words"),
        ("\uff46\uff55\uff4c\uff4c width", "full width"),  # full-width letters
        ("cafe\u0301", "caf\u00e9"),  # combining accent
        ("Stra\u00dfe", "STRASSE"),
        ("o\ufb03ce", "office"),  # ligature
    ],
)
def test_variants_of_a_text_fold_to_the_same(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("no", "now"), ("i am sad", "i am not sad"), ("a b", "ab"), (":)", ":(")]
)
def test_different_texts_stay_different(one, other):
    assert fold(one) != fold(other)


@settings(deadline=None)
@given(st.text())
def test_folding_ignores_case_and_surrounding_space_and_is_stable(text):
    folded = fold(text)

    assert fold(folded) == folded
    assert fold(f"\n {text}\t") == folded


@pytest.mark.parametrize("similarity", [0.1, 0.5, 0.7, 0.9])
def test_few_near_duplicates_are_missed_and_nothing_else_is_found(similarity):
    index = NearTexts(similarity, words)
    texts = [" ".join(f"{word}{n}" for word in string.ascii_lowercase) for n in range(200)]
    for number, text in enumerate(texts):
        assert index.find(text) is None
        index.add(number, text)
    near = [" ".join(text.split()[: round(26 * similarity) + 1]) for text in texts]
    far = [" ".join(text.split()[: round(26 * similarity) - 1]) for text in texts]
    assert sum(index.find(text) is None for text in near) <= 2
    assert all(index.find(text) is None for text in far)


def test_words_forget_their_order_and_pairs_keep_it():
    assert words("a b c") == words("c b a")
    assert word_pairs("a b c") != word_pairs("c b a")


@given(st.lists(st.text("ab ", min_size=1), max_size=20))
def test_a_repeated_text_is_always_found(texts):
    matches = first_matches([*texts, *texts], 0.8)
    assert None not in matches[len(texts) :]
    for text, match in zip([*texts, *texts], matches, strict=True):
        if match is not None and fold(text) in map(fold, texts[:match]):
            assert fold([*texts, *texts][match]) == fold(text)
