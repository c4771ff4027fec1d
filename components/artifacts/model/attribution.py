"""The words that mattered for a prediction: how far it falls when a word is left out."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.artifacts.evaluation.scores import WordWeight
from components.artifacts.model.classifier import Classifier

_MAX_WORDS = 64


def attributions(
    classifier: Classifier, texts: Sequence[str], label_ids: Sequence[int]
) -> list[list[WordWeight]]:
    """Weigh the words of each text by leaving them out one at a time.

    This is occlusion (Zeiler and Fergus 2014, arXiv 1311.2901), for text also called erasure
    (Li, Monroe and Jurafsky 2016, arXiv 1612.08220): it needs nothing but predictions, one more
    per word. It does not see the joint effect of two words.

    Args:
        classifier: The model.
        texts: The texts; words after the 64th get the weight 0.
        label_ids: For each text, the id of the label for which its words are weighed.

    Returns:
        The words of each text in their order.
    """
    variants = [occlusions(text) for text in texts]
    asked = [variant for each in variants for variant in each]
    logits = classifier.logits(asked) / classifier.temperature
    parts = np.split(logits, np.cumsum([len(each) for each in variants])[:-1])
    return [word_weights(*each) for each in zip(texts, parts, label_ids, strict=True)]


def occlusions(text: str) -> list[str]:
    """Return the text unchanged, then without each of its first 64 words."""
    words = _words(text)
    left_out = range(min(len(words), _MAX_WORDS))
    return [" ".join(words), *(" ".join([*words[:n], *words[n + 1 :]]) for n in left_out)]


def word_weights(text: str, logits: NDArray[np.float32], label_id: int) -> list[WordWeight]:
    """Weigh the words of one text by the model's predictions for its occlusions.

    Args:
        text: The text.
        logits: Calibrated logits of `occlusions(text)`, shape (occlusions, labels).
        label_id: Id of the label for which the words are weighed.
    """
    odds = log_odds(logits, np.full(len(logits), label_id, dtype=np.int64))
    words = _words(text)
    losses = (odds[0] - odds[1:]).tolist() + [0.0] * len(words)
    return [WordWeight(word, loss) for word, loss in zip(words, losses, strict=False)]


def log_odds(logits: NDArray[np.float32], label_ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the log-odds of one label per row, shape (rows,), from logits (rows, labels)."""
    rest = logits.astype(np.float64)
    rows = np.arange(len(rest))
    chosen = rest[rows, label_ids]
    rest[rows, label_ids] = -np.inf
    odds: NDArray[np.float64] = chosen - np.logaddexp.reduce(rest, axis=1)
    return odds


def _words(text: str) -> list[str]:
    return re.findall(r"\S+", text)
