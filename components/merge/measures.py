"""Measures of the texts: how varied they are, and how close to real ones.

Diversity is measured twice by words. Distinct-n counts word sequences. The mean TF-IDF cosine
distance compares whole texts; unlike self-BLEU it visits no pairs, and it needs no further model,
yet it falls in the same way when texts resemble each other. With an encoder it is measured by
meaning too: the Vendi score counts texts that are unlike each other.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from components.quick_classifier import Embed
from components.texts import fold, terms

SAMPLE_ROWS = 500
SAME_MEANING = 0.9
"""Cosine of two embeddings from which texts say the same in other words."""

_LEAST_SHARE = 1e-12
_CHUNK_MEGABYTES = 64


def sample(texts: Sequence[str], seed: int, size: int = SAMPLE_ROWS) -> list[str]:
    """Draw at most `size` of the texts, without replacement, in their order.

    Both measures of diversity depend on the number of texts, so compare equal numbers.
    """
    if len(texts) <= size:
        return list(texts)
    drawn = np.random.default_rng(seed).choice(len(texts), size, replace=False)
    return [texts[place] for place in sorted(drawn)]


def distinct_n(texts: Sequence[str], n: int) -> float:
    """Compute the share of distinct word n-grams, from 0 to 1; 0 without any.

    Li et al., "A Diversity-Promoting Objective Function for Neural Conversation Models", 2016.

    Args:
        texts: Case and punctuation do not count.
        n: Words in a sequence, at least 1.
    """
    distinct: set[tuple[str, ...]] = set()
    total = 0
    for text in texts:
        words = _words(text)
        grams = [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]
        distinct.update(grams)
        total += len(grams)
    return len(distinct) / total if total else 0.0


def tfidf_distance(texts: Sequence[str]) -> float:
    """Compute the mean TF-IDF cosine distance of two texts, from 0 (all alike) to 1.

    Fewer than two texts have distance 0.
    """
    if len(texts) < 2:
        return 0.0
    vectors = _vectorizer().fit_transform(texts)
    # Vectors have length 1: the squared length of their sum adds up the cosines of all pairs,
    # each text with itself included.
    squared_sum = float(np.square(np.asarray(vectors.sum(axis=0))).sum())
    similarity = (squared_sum - len(texts)) / (len(texts) * (len(texts) - 1))
    return min(1.0, max(0.0, 1.0 - similarity))


def vendi_score(vectors: NDArray[np.float32]) -> float:
    """Compute the effective number of texts that are unlike each other, 1 to their number.

    The exponential of the entropy of the eigenvalues of the texts' similarities (Friedman and
    Dieng, "The Vendi Score", arXiv 2210.02410).

    Args:
        vectors: Embeddings of length 1, shape (texts, size).
    """
    # The products of columns have the same eigenvalues as those of rows, and are fewer.
    shares = np.linalg.eigvalsh(vectors.T.astype(np.float64) @ vectors / len(vectors))
    shares = shares[shares > _LEAST_SHARE]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def repeated_share(vectors: NDArray[np.float32]) -> float:
    """Compute the share of texts that another one nearly repeats in other words, 0 to 1.

    Args:
        vectors: Embeddings of length 1, shape (texts, size).
    """
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, 0)
    return float((similarities.max(axis=1) >= SAME_MEANING).mean())


def nearest_real(
    synthetic_texts: Sequence[str], real_texts: Sequence[str], embed: Embed | None = None
) -> list[tuple[int, float]]:
    """Find the real text that is nearest to each synthetic text.

    Args:
        synthetic_texts: Texts to find neighbours for.
        real_texts: The neighbours.
        embed: The encoder that compares them; None compares TF-IDF vectors.

    Returns:
        Index into `real_texts` and cosine similarity, 0 to 1, in the order of the synthetic
        texts; empty if there are no texts of one kind.
    """
    if not synthetic_texts or not real_texts:
        return []
    # Words that only synthetic texts have count too: without them, rare words would not tell
    # texts apart.
    vectors = (embed or _vectorizer().fit_transform)([*real_texts, *synthetic_texts])
    search = NearestNeighbors(n_neighbors=1, metric="cosine", algorithm="brute")
    search.fit(vectors[: len(real_texts)])
    with config_context(working_memory=_CHUNK_MEGABYTES):
        distances, places = search.kneighbors(vectors[len(real_texts) :])
    similarities = np.clip(1.0 - distances[:, 0], 0.0, 1.0)
    return list(zip(places[:, 0].tolist(), similarities.tolist(), strict=True))


def _vectorizer() -> TfidfVectorizer:
    return TfidfVectorizer(analyzer=_terms, dtype=np.float32)


def _words(text: str) -> list[str]:
    return fold(text).split() or [text]


def _terms(text: str) -> list[str]:
    return terms(fold(text)) or [text]
