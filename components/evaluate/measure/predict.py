"""Classification of a split, with progress in the log."""

import logging

import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import Split
from components.artifacts.model.classifier import Classifier

_CHUNK = 512

_log = logging.getLogger(__name__)


def predict(classifier: Classifier, split: Split, what: str) -> NDArray[np.float32]:
    """Classify the texts of a split: probabilities of shape (rows, labels).

    Args:
        classifier: The model.
        split: The texts.
        what: Names model and split in the log.
    """
    chunks = []
    for start in range(0, len(split.texts), _CHUNK):
        chunks.append(classifier.probabilities(split.texts[start : start + _CHUNK]))
        done = min(start + _CHUNK, len(split.texts))
        _log.info("evaluate: %s, %d/%d rows", what, done, len(split.texts))
    return np.concatenate(chunks)
