"""Texts that are nearly the same."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.texts import NearTexts, first_matches, fold, word_pairs, words


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
