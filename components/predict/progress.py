"""Lines of progress: rows done, rows per second, and the time that is left."""

import logging
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta

from components.predict.columns import Scores
from components.predict.tables.table import Window

_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Progress:
    """Rows that pass by, told every ten seconds.

    Args:
        rows: Number of all rows.
    """

    def __init__(self, rows: int) -> None:
        self._rows, self._done = rows, 0
        self._begun = self._told = time.monotonic()

    def of(self, scored: Iterable[tuple[Window, Scores]]) -> Iterator[tuple[Window, Scores]]:
        """Pass scored rows on, and count them."""
        for window, scores in scored:
            yield window, scores
            self._done += len(window.texts)
            now = time.monotonic()
            if now - self._told >= _SECONDS:
                self._told = now
                self._tell(now - self._begun)

    def _tell(self, seconds: float) -> None:
        rate = self._done / seconds
        left = timedelta(seconds=round((self._rows - self._done) / rate))
        done, rows = f"{self._done:,}", f"{self._rows:,}"
        progress = {"progress": (self._done, self._rows)}
        line = "predict: %s of %s rows, %.0f rows/s, %s left"
        _log.info(line, done, rows, rate, left, extra=progress)
