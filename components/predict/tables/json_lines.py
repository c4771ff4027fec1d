"""JSON lines: an object per line, to whose end what is added is written; the rest stays as it is.

Source: https://jsonlines.org/
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from components.errors import InputError
from components.predict.columns import Scores
from components.predict.tables.table import Named, Window, Write, create, reading, windowed

_MOST_LINE = 64 * 2**20
_FIRST_ROWS = 100
"""One of them must have the column of texts: a row without it has no text."""


class JsonLines:
    """A file of JSON lines (see `Table`)."""

    def __init__(self, path: Path, named: Named) -> None:
        self._path, self._named = path, named
        first = [row for _, row in islice(self._rows(), _FIRST_ROWS)]
        if first and not any(named.text in row for row in first):
            named.require(first[0], f"{path}, line 1")

    def count(self) -> int:
        """Number of its rows, after each has been looked at."""
        return sum(1 for _ in self._rows())

    def windows(self, start: int, stop: int, cut: int) -> Iterator[Window]:
        """Read rows from `start` to before `stop`; one without a text has the text None."""
        name = self._named.text
        rows = islice(self._rows(), start, stop)
        yield from windowed(((line, row.get(name), len(line)) for line, row in rows), start, cut)

    @contextmanager
    def writing(self, target: Path) -> Iterator[Write]:
        """Write objects with more fields; a value that there is not is null."""
        added = self._named.added
        with create(target) as file:

            def write(window: Window, scores: Scores) -> None:
                labels, numbers = scores.columns(added.labels)
                # A number of 32 bits needs seven digits, not those of 64 bits.
                shares = np.round(numbers.astype(np.float64), 6).tolist()
                blank = [None] * numbers.shape[1]
                for line, label, known, reason in zip(
                    window.rows, labels, shares, scores.reasons, strict=True
                ):
                    values = [label, *(blank if reason else known), reason]
                    new = json.dumps(
                        dict(zip(added.names, values, strict=True)), ensure_ascii=False
                    )
                    old = line.rstrip()[:-1].rstrip()
                    file.write(f"{old}{'' if old == '{' else ', '}{new[1:]}\n")

            yield write

    def _rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        with reading(self._path) as file:
            number = 0
            while line := file.readline(_MOST_LINE):
                number += 1
                if line.strip():
                    yield line, self._parsed(line, number)

    def _parsed(self, line: str, number: int) -> dict[str, Any]:
        where = f"{self._path}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            rule = f"is not JSON ({error})"
            raise InputError(where, rule, "Write an object per line") from error
        if not isinstance(row, dict):
            rule = f"holds a {type(row).__name__}, not an object"
            raise InputError(where, rule, "Write an object per line")
        self._named.refuse_added(row, where)
        return row
