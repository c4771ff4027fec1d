"""A classifier of texts that learns in seconds, to judge rows before a real one is trained.

One logistic regression knows words and word pairs, another one, if there is an encoder, the meaning
of whole texts. Each is wrong where the other is not: what both say is the geometric mean of their
probabilities.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier

from components.texts import telling_words

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Turns texts into vectors of length 1, one row each."""


@dataclass(frozen=True)
class Labelled:
    """Texts, and the id of the label of each."""

    texts: Sequence[str] = ()
    labels: Sequence[int] = ()

    @classmethod
    def of(cls, rows: Iterable[tuple[str, int]]) -> "Labelled":
        """Take texts with the ids of their labels, row by row."""
        found = list(rows)
        return cls([text for text, _ in found], [label for _, label in found])


NOTHING = Labelled()
FOLDS = 3
"""A label with fewer rows cannot be cross-validated."""

UNCHECKED = {"assume_finite": True, "skip_parameter_validation": True}
"""scikit-learn's configuration for predictions by words, whose frequencies are always finite: its
checks take longer than a text."""

_LEAST = 1e-6


class QuickClassifier:
    """Tells labels by words, and by meaning if there is an encoder.

    Args:
        embed: The encoder; None for words alone.
        words: Takes the words of a text.
    """

    def __init__(
        self, embed: Embed | None = None, words: Callable[[str], list[str]] = telling_words
    ) -> None:
        self._embed, self._words = embed, words

    def fit(
        self, texts: Sequence[str], labels: Sequence[int], further: Labelled = NOTHING
    ) -> "QuickClassifier":
        """Learn from texts of at least two labels; what was learnt before is forgotten.

        Args:
            texts: What is learnt from.
            labels: The id of each text's label.
            further: More texts, of which only the words are learnt: the meaning of thousands
                costs more time than it adds.
        """
        every = [*labels, *further.labels]
        self._vectorizer = TfidfVectorizer(
            tokenizer=self._words, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True
        )
        vectors = self._vectorizer.fit_transform([*texts, *further.texts])
        # Balanced, so that a text without telling words does not count against a rare label.
        # liblinear, one label against the rest, is ten times as fast here as the multinomial fit.
        logistic = LogisticRegression(
            C=10, class_weight="balanced", solver="liblinear", tol=0.01, random_state=0
        )
        self._by_words = OneVsRestClassifier(logistic).fit(vectors, every)
        self.labels: NDArray[np.int64] = self._by_words.classes_
        self._by_meaning = None
        # What knows fewer labels would say that the others are impossible.
        if self._embed and set(labels) == set(every):
            by_meaning = LogisticRegression(C=3, class_weight="balanced", max_iter=500)
            self._by_meaning = by_meaning.fit(self._embed(texts), labels)
        return self

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The probabilities of `labels`, ids in ascending order: shape (texts, labels)."""
        if not texts:
            return np.empty((0, len(self.labels)))
        with config_context(**UNCHECKED):
            words = self._by_words.predict_proba(self._vectorizer.transform(texts))
        if not self._embed or self._by_meaning is None:
            return np.asarray(words)
        meaning = self._by_meaning.predict_proba(self._embed(texts))
        mean = np.sqrt(np.maximum(words, _LEAST) * np.maximum(meaning, _LEAST))
        return np.asarray(mean / mean.sum(axis=1, keepdims=True))

    def of_labels(self, texts: Sequence[str], labels: Sequence[int]) -> NDArray[np.float64]:
        """The probability of the label of each text; NaN for labels that were not learnt."""
        every = self.probabilities(texts)
        places = np.searchsorted(self.labels, labels).clip(max=len(self.labels) - 1)
        own = every[np.arange(len(places)), places]
        return np.where(self.labels[places] == np.asarray(labels), own, np.nan)


def cross_validated(
    rows: Labelled, size: int, embed: Embed | None = None, further: Labelled = NOTHING
) -> NDArray[np.float64]:
    """What is said of each text by a classifier that has not learnt from it.

    Args:
        rows: What is judged, and learnt from in turn.
        size: Number of label ids.
        embed: The encoder; None for words alone.
        further: See `QuickClassifier.fit`.

    Returns:
        Probabilities of every label id, shape (texts, size); NaN for the texts of labels with
        fewer than three, and for all texts if fewer than two labels have more.
    """
    texts, ids = list(rows.texts), np.asarray(rows.labels, dtype=np.int64)
    said = np.full((len(texts), size), np.nan)
    enough = np.flatnonzero(np.bincount(ids, minlength=size) >= FOLDS)
    judged = np.flatnonzero(np.isin(ids, enough))
    if len(enough) < 2:
        return said
    for known, new in StratifiedKFold(FOLDS).split(judged, ids[judged]):
        learnt, asked = judged[known], judged[new]
        classifier = QuickClassifier(embed).fit(
            [texts[row] for row in learnt], ids[learnt].tolist(), further
        )
        said[asked] = 0.0
        told = classifier.probabilities([texts[row] for row in asked])
        said[np.ix_(asked, classifier.labels)] = told
    return said


def judged_right(labels: Sequence[int], said: NDArray[np.float64]) -> tuple[int, int]:
    """Count the texts of which `cross_validated` said something, and those labelled right."""
    judged = ~np.isnan(said).any(axis=1)
    truth = np.asarray(labels, dtype=np.int64)[judged]
    return len(truth), int((said[judged].argmax(axis=1) == truth).sum())
