"""Classifying a split, with a line of progress now and then."""

import logging

import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import Split
from components.artifacts.model.classifier import Classifier

_CHUNK = 512

logger = logging.getLogger(__name__)


def predict(classifier: Classifier, split: Split, what: str) -> NDArray[np.float32]:
    """The probabilities that a classifier gives the texts of a split, shape (rows, labels).

    Args:
        classifier: The model.
        split: The texts.
        what: Says in the log which model and split these are.
    """
    chunks = []
    for start in range(0, len(split.texts), _CHUNK):
        chunks.append(classifier.probabilities(split.texts[start : start + _CHUNK]))
        done = min(start + _CHUNK, len(split.texts))
        logger.info("evaluate: %s, %d/%d rows", what, done, len(split.texts))
    return np.concatenate(chunks)
