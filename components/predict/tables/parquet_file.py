"""Parquet files: columns keep their types, nested ones too."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from components.errors import InputError
from components.predict.columns import Columns, Scores
from components.predict.tables.table import WINDOW_ROWS, Named, Window, Write

_BUFFER_BYTES = 2**20
# What `datasets` notes of the columns there were; with others it refuses the file.
_FEATURES = b"huggingface"


class ParquetTable:
    """A Parquet file (see `Table`)."""

    def __init__(self, path: Path, named: Named) -> None:
        self._path, self._named = path, named
        with self._open() as file:
            self._schema = file.schema_arrow
            self._group_rows = [
                file.metadata.row_group(each).num_rows for each in range(file.num_row_groups)
            ]
        named.require(self._schema.names, str(path))
        if self._schema.names.count(named.text) > 1:
            raise InputError(str(path), f"has {named.text!r} twice", "Rename the other column")
        _require_texts(self._schema.field(named.text).type, str(path), named.text)

    def count(self) -> int:
        """Number of its rows, as the file tells it."""
        return sum(self._group_rows)

    def windows(self, start: int, stop: int, cut: int) -> Iterator[Window]:
        """Read rows from `start` to before `stop`; row groups before and after are left out."""
        groups: list[int] = []
        first = place = 0
        for group, rows in enumerate(self._group_rows):
            if place < stop and place + rows > start:
                first = first if groups else place
                groups.append(group)
            place += rows
        with self._open() as file:
            batches = file.iter_batches(WINDOW_ROWS, row_groups=groups, use_threads=False)
            yield from self._cut(batches, first, start, stop, cut)

    @contextmanager
    def writing(self, target: Path) -> Iterator[Write]:
        """Write a file with more columns; a value that there is not is null."""
        schema = _with_added(self._schema, self._named.added)
        with parquet.ParquetWriter(target, schema) as writer:

            def write(window: Window, scores: Scores) -> None:
                arrays = [*window.rows.columns, *_arrays(scores, self._named.added)]
                writer.write_batch(pyarrow.RecordBatch.from_arrays(arrays, schema=schema))

            yield write

    def _cut(
        self, batches: Iterator[Any], place: int, start: int, stop: int, cut: int
    ) -> Iterator[Window]:
        try:
            for batch in batches:
                end = place + batch.num_rows
                left = max(place, start)
                while left < min(end, stop):
                    right = min(end, stop, (left // cut + 1) * cut)
                    rows = batch.slice(left - place, right - left)
                    texts = rows.column(self._schema.get_field_index(self._named.text))
                    yield Window(left, texts.to_pylist(), rows)
                    left = right
                place = end
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _unreadable(self._path, error, f", after row {place}") from error

    @contextmanager
    def _open(self) -> Iterator[Any]:
        try:
            # Buffered, so that a large row group is not in memory as a whole.
            file = parquet.ParquetFile(self._path, buffer_size=_BUFFER_BYTES)
        except (pyarrow.ArrowException, OSError) as error:
            raise _unreadable(self._path, error) from error
        with file:
            yield file


def _require_texts(kind: Any, where: str, name: str) -> None:
    types = pyarrow.types
    plain = kind.value_type if types.is_dictionary(kind) else kind
    if not (
        types.is_string(plain)
        or types.is_large_string(plain)
        or types.is_string_view(plain)
        or types.is_null(plain)
    ):
        rule = f"holds {kind}, not texts"
        raise InputError(f"{where}, column {name}", rule, "Name another one with text_column")


def _with_added(schema: Any, added: Columns) -> Any:
    numbers = [(name, pyarrow.float32()) for name in (added.probability, *added.probabilities)]
    columns = [(added.label, pyarrow.string()), *numbers, (added.reason, pyarrow.string())]
    metadata = {key: value for key, value in (schema.metadata or {}).items() if key != _FEATURES}
    return pyarrow.schema([*schema, *(pyarrow.field(*each) for each in columns)], metadata)


def _arrays(scores: Scores, added: Columns) -> list[Any]:
    labels, numbers = scores.columns(added.labels)
    return [
        pyarrow.array(labels, pyarrow.string()),
        *(pyarrow.array(each, pyarrow.float32(), from_pandas=True) for each in numbers.T),
        pyarrow.array(scores.reasons, pyarrow.string()),
    ]


def _unreadable(path: Path, error: Exception, place: str = "") -> InputError:
    rule = f"is not readable as Parquet: {error}"
    return InputError(f"{path}{place}", rule, "Correct the file or its name")
