"""The measures of texts by which traffic is compared with what a model was evaluated on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.artifacts.evaluation.profile import Histogram, Profile
from components.artifacts.model.classifier import Classifier
from components.texts import words_of

_DECILES = np.linspace(0.1, 0.9, 9)


def profile_of(
    classifier: Classifier,
    texts: Sequence[str],
    probabilities: NDArray[np.floating],
    like: Profile | None = None,
) -> Profile:
    """Measure texts.

    The measures: words of a text, tokens per word (rare words are split into many), share of
    tokens that the vocabulary lacks, confidence (the probability of the predicted label), and the
    probability of each label. The probabilities stand for the text's embedding: a test on each of
    them finds shifts of the inputs better than one on embeddings of an untrained or another
    encoder (BBSDs in Rabanser et al., arXiv 1810.11953).

    Args:
        classifier: The model.
        texts: The texts, at least one.
        probabilities: What the model says of them, shape (texts, labels).
        like: A profile whose bins are taken.
    """
    tokens = [np.asarray(each) for each in classifier.encode(texts)]
    words = np.array([max(1, len(words_of(text))) for text in texts])
    sizes = np.array([max(1, len(each) - classifier.special_tokens) for each in tokens])
    unknown = np.array([np.count_nonzero(each == classifier.unknown_id) for each in tokens])
    values = {
        "words": words,
        "tokens per word": sizes / words,
        "unknown tokens": unknown / sizes,
        "confidence": probabilities.max(axis=1),
        **{
            f"probability of {name}": probabilities[:, place]
            for place, name in enumerate(classifier.labels)
        },
    }
    counts = np.bincount(probabilities.argmax(axis=1), minlength=len(classifier.labels))
    bins = like.measures if like else {}
    return Profile(
        rows=len(texts),
        labels=dict(zip(classifier.labels, counts.tolist(), strict=True)),
        measures={
            name: histogram_of(np.asarray(each, np.float64), bins.get(name))
            for name, each in values.items()
        },
    )


def histogram_of(values: NDArray[np.float64], like: Histogram | None = None) -> Histogram:
    """Count values, at least one, in the bins of another histogram, else in their deciles."""
    # Of a measure with few values several deciles are the same.
    edges = np.unique(np.quantile(values, _DECILES).round(6)) if like is None else like.edges
    counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
    median = round(float(np.median(values)), 6)
    return Histogram(tuple(map(float, edges)), tuple(counts.tolist()), median)
