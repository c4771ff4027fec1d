"""The choice from a surplus of accepted sentences: those that teach a classifier most.

A sentence is worth the more, the surer the judge is of its label and the less a classifier of the
real rows is. One after the other is chosen that is worth most where nothing near it is chosen yet.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from components.artifacts.synthetic import LABEL_PROBABILITIES
from components.artifacts.task import Task
from components.quick_classifier import Embed, Labelled, QuickClassifier
from components.texts import telling_words

_LEAST_WORTH = 0.01  # What a classifier knows already may still be unlike all that is chosen.


def chosen(
    rows: Sequence[Mapping[str, Any]],
    count: int,
    task: Task,
    real: Labelled,
    embed: Embed | None = None,
) -> list[int]:
    """Choose from accepted sentences.

    Args:
        rows: `text`, `label` and, if a judge judged, `label_probabilities` of each.
        count: Most sentences of a label.
        task: Its label names.
        real: Real train rows; without those of two labels every sentence is new.
        embed: The encoder by which texts are alike; None compares their words.

    Returns:
        The places of those chosen, in ascending order.
    """
    if not rows:
        return []
    texts = [str(row["text"]) for row in rows]
    labels = np.array([task.names.index(row["label"]) for row in rows])
    worth = _sureness(rows) * _newness(texts, labels.tolist(), real, embed)
    places: list[int] = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        vectors = (embed or _word_vectors)([texts[place] for place in own])
        places += own[list(_spread(vectors, worth[own], count))].tolist()
    return sorted(places)


def _sureness(rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    told = (row.get(LABEL_PROBABILITIES, {}).get(row["label"], 1.0) for row in rows)
    return np.array(list(told), dtype=np.float64)


def _newness(
    texts: Sequence[str], labels: Sequence[int], real: Labelled, embed: Embed | None
) -> NDArray[np.float64]:
    if len(set(real.labels)) < 2:
        return np.ones(len(texts))
    known = QuickClassifier(embed).fit(real.texts, real.labels).of_labels(texts, labels)
    return np.asarray(np.maximum(1 - np.nan_to_num(known), _LEAST_WORTH))


def _word_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    vectorizer = TfidfVectorizer(tokenizer=telling_words, token_pattern=None, dtype=np.float32)
    words: NDArray[np.float32] = vectorizer.fit_transform(texts).toarray()
    return words


def _spread(vectors: NDArray[np.float32], worth: NDArray[np.float64], count: int) -> Iterator[int]:
    """Give places one after the other: of most worth, times the distance to the nearest given."""
    distance, is_free = np.ones(len(vectors)), np.ones(len(vectors), dtype=bool)
    for _ in range(min(count, len(vectors))):
        best = int(np.argmax(np.where(is_free, worth * distance, -1)))
        yield best
        is_free[best] = False
        distance = np.minimum(distance, np.clip(1 - vectors @ vectors[best], 0, 1))
