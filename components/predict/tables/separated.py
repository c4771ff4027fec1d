"""Values between separators (RFC 4180): cells are texts, and stay as they are.

Quotes are taken strictly: a lone quote would swallow the rows up to the next one.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np

from components.errors import InputError
from components.predict.columns import Scores
from components.predict.tables.table import Named, Window, Write, create, reading, windowed

_SEPARATORS = (",", ";", "\t", "|")
_MOST_CELL = 16 * 2**20
_QUOTE = 'Put a text with quotes in it between quotes, and double its own: "She said ""no"" again"'


class Separated:
    """A table of values between separators, the one that parts the header (see `Table`)."""

    def __init__(self, path: Path, named: Named) -> None:
        self._path, self._named = path, named
        # The module has one limit for the process, 131,072 characters at first.
        csv.field_size_limit(max(csv.field_size_limit(), _MOST_CELL))
        self._separator, self._header = self._form()
        named.require(self._header, str(path))

    def count(self) -> int:
        """Number of its rows, after each has been looked at."""
        return sum(1 for _ in self._rows())

    def windows(self, start: int, stop: int, cut: int) -> Iterator[Window]:
        """Read rows from `start` to before `stop`."""
        text = self._header.index(self._named.text)
        rows = islice(self._rows(), start, stop)
        yield from windowed(((row, row[text], sum(map(len, row))) for row in rows), start, cut)

    @contextmanager
    def writing(self, target: Path) -> Iterator[Write]:
        """Write a table with more columns; a value that there is not is an empty cell."""
        added = self._named.added
        with create(target) as file:
            writer = csv.writer(file, delimiter=self._separator)
            writer.writerow([*self._header, *added.names])

            def write(window: Window, scores: Scores) -> None:
                labels, numbers = scores.columns(added.labels)
                cells = np.char.mod("%.6f", numbers).tolist()
                blank = [""] * numbers.shape[1]
                for row, label, shares, reason in zip(
                    window.rows, labels, cells, scores.reasons, strict=True
                ):
                    writer.writerow([*row, label, *(blank if reason else shares), reason])

            yield write

    def _form(self) -> tuple[str, list[str]]:
        """The separator that parts the header into the columns that are asked for, and these."""
        heads = {each: self._head(each) for each in _SEPARATORS}
        for separator, head in heads.items():
            if self._named.text in head:
                return separator, head
        return ",", heads[","]

    def _head(self, separator: str) -> list[str]:
        with reading(self._path) as file:
            try:
                return next(csv.reader(file, delimiter=separator), [])
            except csv.Error as error:
                raise InputError(f"{self._path}, line 1", str(error), _QUOTE) from error

    def _rows(self) -> Iterator[list[str]]:
        width = len(self._header)
        with reading(self._path) as file:
            reader = csv.reader(file, delimiter=self._separator, strict=True)
            try:
                next(reader)
                line = reader.line_num + 1
                for row in reader:
                    if row:
                        if len(row) > width:
                            raise self._too_wide(row, line)
                        yield row + [""] * (width - len(row))
                    line = reader.line_num + 1
            except csv.Error as error:
                rule = f"has a quote that is not closed at the end of its text ({error})"
                raise InputError(f"{self._path}, line {line}", rule, _QUOTE) from error

    def _too_wide(self, row: list[str], line: int) -> InputError:
        rule = f"has {len(row)} values, more than its header ({len(self._header)})"
        fix = f"Quote texts with {self._separator!r} in them"
        return InputError(f"{self._path}, line {line}", rule, fix)
