import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_distances

from components.artifacts.model.encoder import SentenceEncoder
from components.merge.measures import (
    distinct_n,
    nearest_real,
    repeated_share,
    sample,
    tfidf_distance,
    vendi_score,
)

WORDS = st.sampled_from(["i", "feel", "so", "happy", "sad", "today"])
SENTENCES = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("texts", "n", "expected"),
    [
        (["a b a b"], 1, 2 / 4),
        (["a b a b"], 2, 2 / 3),
        (["a b", "A, b!"], 2, 1 / 2),
        (["a b", "b a"], 2, 1.0),
        (["a", "b"], 2, 0.0),
        (["我很好我很高兴"], 1, 5 / 7),
        ([], 1, 0.0),
    ],
)
def test_distinct_n_is_the_share_of_different_sequences(texts, n, expected):
    assert distinct_n(texts, n) == pytest.approx(expected)


def test_word_pairs_do_not_reach_from_one_text_into_the_next():
    assert distinct_n(["a b", "c d", "b c"], 2) == 1.0
    assert distinct_n(["a b", "a b"], 3) == 0.0


@given(st.lists(st.text(), max_size=6), st.integers(1, 3))
def test_distinct_n_is_a_share_and_falls_when_texts_are_repeated(texts, n):
    once, twice = distinct_n(texts, n), distinct_n(texts * 2, n)

    assert 0 <= once <= 1
    assert twice == pytest.approx(once / 2)


@settings(max_examples=30)
@given(st.lists(SENTENCES, min_size=2, max_size=12))
def test_the_distance_is_the_mean_over_all_pairs(texts):
    vectors = TfidfVectorizer(analyzer=str.split).fit_transform(texts)
    pairs = np.triu_indices(len(texts), 1)

    expected = cosine_distances(vectors)[pairs].mean()

    assert tfidf_distance(texts) == pytest.approx(expected, abs=1e-4)


@given(st.lists(st.text(), max_size=6))
def test_any_texts_have_a_distance(texts):
    assert 0 <= tfidf_distance(texts) <= 1


def test_the_distance_tells_like_from_unlike():
    assert tfidf_distance(["i feel sad"] * 9) == pytest.approx(0, abs=1e-6)
    assert tfidf_distance(["a b", "c d", "e f"]) == pytest.approx(1, abs=1e-6)
    assert tfidf_distance(["alone"]) == 0.0


def test_a_sample_is_drawn_by_its_seed_in_order_and_without_replacement():
    texts = [f"{number:04d}" for number in range(2000)]

    drawn = sample(texts, seed=3)

    assert len(set(drawn)) == 500
    assert drawn == sorted(drawn) == sample(texts, seed=3)
    assert drawn != sample(texts, seed=4)
    assert sample(texts[:7], seed=3) == texts[:7]


def test_the_nearest_real_text_is_found_for_each_synthetic_one():
    real = ["the dog is gone", "we won the match", "my train was late"]
    synthetic = ["MY TRAIN, was late!", "nothing alike whatsoever", "the dog is back"]

    (same, one), (_, none), (near, some) = nearest_real(synthetic, real)

    assert (same, near) == (2, 0)
    assert one == pytest.approx(1, abs=1e-6)
    assert none == 0
    assert 0.5 < some < 0.99


def test_the_nearest_text_is_found_without_spaces():
    real = ["外婆去世以后我每天晚上都哭", "我今天终于考上了大学"]

    ((place, similarity),) = nearest_real(["我终于考上了梦想的大学!"], real)

    assert place == 1
    assert 0.3 < similarity < 0.9


def test_words_that_no_real_text_has_set_a_synthetic_text_apart():
    ((_, similarity),) = nearest_real(["i feel flabbergasted"], ["i feel", "you win"])

    assert similarity < 0.9


def test_texts_of_one_kind_have_no_neighbours():
    assert nearest_real([], ["a real text"]) == []
    assert nearest_real(["a synthetic text"], []) == []


def test_many_texts_are_searched_in_chunks_with_the_same_result():
    generator = np.random.default_rng(0)
    real = [" ".join(map(str, generator.integers(0, 3000, 12))) for _ in range(16000)]
    synthetic = [f"{text} more" for text in real[5000:5600]]

    assert [place for place, _ in nearest_real(synthetic, real)] == list(range(5000, 5600))


@pytest.fixture(scope="module")
def encoder(encoder_folder):
    return SentenceEncoder(encoder_folder)


def test_the_vendi_score_counts_texts_that_are_unlike():
    axes = np.eye(4, dtype=np.float32)
    assert vendi_score(axes) == pytest.approx(4)
    assert vendi_score(axes[[0, 0, 0]]) == pytest.approx(1)
    assert vendi_score(axes[[0, 0, 1, 1]]) == pytest.approx(2)
    assert 1 < vendi_score(axes[[0, 0, 0, 1]]) < 2


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_the_vendi_score_lies_between_one_and_the_number_of_different_texts(kinds):
    score = vendi_score(np.eye(6, dtype=np.float32)[kinds])
    assert 1 - 1e-6 <= score <= len(set(kinds)) + 1e-6


def test_texts_that_say_the_same_in_other_words_are_found(encoder):
    texts = ["My dog died last week.", "Last week my dog died.", "We won the match!"]
    assert repeated_share(encoder(texts)) == pytest.approx(2 / 3)
    assert repeated_share(encoder(texts[1:])) == 0


def test_the_nearest_text_is_found_by_meaning(encoder):
    real = ["the dog is gone", "our team came first", "my train was late"]
    ((place, similarity),) = nearest_real(["We won the championship"], real, encoder)
    assert place == 1
    assert 0.3 < similarity < 0.9
