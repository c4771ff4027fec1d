"""The texts of a sample of exchanges, and the probabilities that the watched model gives them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.artifacts.model.classifier import Classifier
from components.watch.exchanges import Exchange
from components.watch.payloads import Answer, read_answer, read_texts
from components.watch.records import Problems

_CHUNK = 512
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Traffic:
    """What was asked.

    Args:
        texts: Every text of the answered requests.
        probabilities: What the model says of them, shape (texts, labels).
        requests: Number of requests that they come from.
        refused: Requests that got an error, whose texts are left out.
        classified: Texts whose answer was another model's, not logged or not whole, so that they
            were classified again.
    """

    texts: Sequence[str]
    probabilities: NDArray[np.float64]
    requests: int
    refused: int
    classified: int


def read_traffic(
    exchanges: Sequence[Exchange], classifier: Classifier, problems: Problems
) -> Traffic:
    """Read the texts of exchanges, and classify those that the model has not answered itself."""
    texts: list[str] = []
    parts: list[NDArray[np.float64]] = []
    requests = refused = 0
    for exchange in exchanges:
        answer = read_answer(exchange.response, classifier.labels)
        if answer.refused:
            refused += 1
            continue
        try:
            asked = read_texts(exchange.request)
        except ValueError:
            problems.add(
                "a request without texts that can be read (those of gRPC are not)", exchange.place
            )
            continue
        requests += 1
        texts += asked
        parts.append(_told(answer, classifier, len(asked)))
    probabilities = np.concatenate([np.empty((0, len(classifier.labels))), *parts])
    unknown = np.flatnonzero(np.isnan(probabilities).any(axis=1))
    for start in range(0, len(unknown), _CHUNK):
        rows = unknown[start : start + _CHUNK]
        probabilities[rows] = classifier.probabilities([texts[row] for row in rows])
        done = start + len(rows), len(unknown)
        _log.info("watch: classified %d/%d texts", *done, extra={"progress": done})
    return Traffic(texts, probabilities, requests, refused, len(unknown))


def _told(answer: Answer, classifier: Classifier, texts: int) -> NDArray[np.float64]:
    """The probabilities of an answer of this model; NaN without one."""
    # A version is the run, a colon and the hash, or the hash alone.
    is_own = answer.version.rpartition(":")[2] == classifier.version
    told, shape = answer.probabilities, (texts, len(classifier.labels))
    return told if is_own and told is not None and told.shape == shape else np.full(shape, np.nan)
