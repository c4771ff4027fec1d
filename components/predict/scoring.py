"""Texts to probabilities on all cores, window by window, while the next one is read."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from loky import cpu_count
from numpy.typing import NDArray

from components.artifacts.model.bundle import SealedModel
from components.artifacts.model.classifier import Classifier, Tokens
from components.predict.columns import Scores, reason_for
from components.predict.tables.table import Window


@dataclass(frozen=True)
class _Encoded:
    """A window, tokenised: why rows get no label, and the places and tokens of the others."""

    window: Window
    reasons: Sequence[str | None]
    places: NDArray[np.int64]
    tokens: Sequence[Tokens]


_Batches = Sequence[tuple[Sequence[int], Future[NDArray[np.float32]]]]


class Scorer:
    """A model that scores windows of rows; it runs its inferences side by side, one thread each.

    Args:
        model: The model.
        threads: Inferences at a time; 0 for the container's number of CPUs.
        max_characters: Most characters of a text.
    """

    def __init__(self, model: SealedModel, threads: int, max_characters: int) -> None:
        # Parallel inferences of one thread each are faster than one inference on all threads.
        self._classifier = Classifier(model, 1)
        self._threads = threads or cpu_count()
        self._max_characters = max_characters

    def scored(self, windows: Iterable[Window]) -> Generator[tuple[Window, Scores], None, None]:
        """Score windows in their order; three of them are in memory."""
        pool = ThreadPoolExecutor(self._threads)
        reader = ThreadPoolExecutor(1)
        source = iter(windows)
        under_way: tuple[_Encoded, _Batches] | None = None
        try:
            coming = reader.submit(self._next, source)
            while encoded := coming.result():
                coming = reader.submit(self._next, source)
                # Its batches wait behind those of the window before, so that no core does.
                started = encoded, self._start(pool, encoded)
                if under_way:
                    yield self._finish(*under_way)
                under_way = started
            if under_way:
                yield self._finish(*under_way)
        finally:
            pool.shutdown(cancel_futures=True)
            reader.shutdown(cancel_futures=True)

    def _next(self, windows: Iterator[Window]) -> _Encoded | None:
        window = next(windows, None)
        if window is None:
            return None
        reasons = [reason_for(each, self._max_characters) for each in window.texts]
        places = np.flatnonzero([each is None for each in reasons])
        texts = [str(window.texts[place]) for place in places.tolist()]
        return _Encoded(window, reasons, places, self._classifier.encode(texts))

    def _start(self, pool: ThreadPoolExecutor, encoded: _Encoded) -> _Batches:
        tokens = encoded.tokens
        return [
            (rows, pool.submit(self._classifier.infer, [tokens[row] for row in rows]))
            for rows in self._classifier.batches(tokens)
        ]

    def _finish(self, encoded: _Encoded, batches: _Batches) -> tuple[Window, Scores]:
        size = len(encoded.reasons), len(self._classifier.labels)
        logits = np.full(size, np.nan, dtype=np.float32)
        for rows, answer in batches:
            logits[encoded.places[rows]] = answer.result()
        # NaN stays NaN, without a warning.
        return encoded.window, Scores(encoded.reasons, self._classifier.calibrated(logits))
