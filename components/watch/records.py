"""Payload logs as files: what KServe's logger stores, and CloudEvents in their JSON format.

| file | content |
| --- | --- |
| `.json`, `.jsonl`, `.ndjson` | a record, a list of records, or a record per line |
| `.parquet` | a record per row |

Sources: LogRequest and logRecord in kserve/kserve, pkg/logger (KServe 0.20);
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

import json
import logging
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow
from pyarrow import parquet

from components import storage
from components.errors import InputError
from components.storage.transfer import batches

REQUEST, RESPONSE = "request", "response"
_KINDS = {f"org.kubeflow.serving.inference.{each}": each for each in (REQUEST, RESPONSE)}
_LINES = (".json", ".jsonl", ".ndjson")
_FILES = (*_LINES, ".parquet")
_OTHER_KIND = f"a file that ends in none of {', '.join(_FILES)}"
_COLUMNS = ["id", "reqType", "bytes"]
_MOST_BYTES = 64 * 2**20
_MOST_LINE_BYTES = 4 * 2**20
_ROWS = 64

_log = logging.getLogger(__name__)


@dataclass
class Problems:
    """What could not be used: how often, by reason, and where first."""

    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, place: str) -> None:
        """Count one more."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        self.places.setdefault(reason, place)


@dataclass(frozen=True)
class Record:
    """A request or a response.

    Args:
        id: Identifier that both of an exchange share.
        kind: `request` or `response`.
        body: Its body.
        place: File and row, for messages.
    """

    id: str
    kind: str
    body: bytes
    place: str


def read_records(place: str, problems: Problems) -> Iterator[Record]:
    """Read the records of a folder, a few files at a time; unusable ones are counted.

    Args:
        place: Path or URI of the folder.
        problems: Receives what cannot be used.

    Raises:
        InputError: If there is nothing, or it cannot be read.
    """
    store = storage.open_store(place)
    sizes = {name: size for name, size in store.sizes().items() if name}
    if not sizes:
        rule, fix = "holds no files", "Check the place, and that requests are logged there"
        raise InputError(f"payloads {place}", rule, fix)
    _log.info("watch: %d files in %s", len(sizes), place)
    fitting = {}
    for name, size in sizes.items():
        if Path(name).suffix not in _FILES:
            problems.add(_OTHER_KIND, name)
        elif size > _MOST_BYTES:
            problems.add(f"a file of more than {_MOST_BYTES // 2**20} MiB", name)
        else:
            fitting[name] = size
    for batch in batches(fitting):
        with TemporaryDirectory() as folder:
            storage.download(store, {name: fitting[name] for name in batch}, Path(folder))
            for name in batch:
                yield from _records(Path(folder) / name, name, problems)


def _records(path: Path, name: str, problems: Problems) -> Iterator[Record]:
    rows = _rows(path) if path.suffix == ".parquet" else _lines(path)
    number = 0
    try:
        for number, row in enumerate(rows, start=1):
            place = f"{name}, record {number}"
            try:
                yield _record(json.loads(row) if isinstance(row, bytes) else row, place)
            except (ValueError, TypeError, RecursionError):
                problems.add("a record that is neither KServe's nor a CloudEvent", place)
            except LookupError as error:
                problems.add(f"a record without {error.args[0]}", place)
    except (pyarrow.ArrowException, OSError, ValueError, RecursionError):
        problems.add("a file that cannot be read", f"{name}, after record {number}")


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with parquet.ParquetFile(path) as file:
        columns = [each for each in _COLUMNS if each in file.schema_arrow.names]
        for batch in file.iter_batches(_ROWS, columns=columns, use_threads=False):
            yield from batch.to_pylist()


def _lines(path: Path) -> Iterator[Mapping[str, Any] | bytes]:
    with path.open("rb") as file:
        first = file.readline(_MOST_LINE_BYTES)
        if first.lstrip().startswith(b"["):
            yield from json.loads(first + file.read())
            return
        line = first
        while line:
            if line.strip():
                yield line
            line = file.readline(_MOST_LINE_BYTES)


def _record(row: Mapping[str, Any], place: str) -> Record:
    """Take a record apart.

    Raises:
        LookupError: If it lacks a field, which it names.
        TypeError, ValueError: If it is something else.
    """
    if not isinstance(row, dict) or not (kind := _KINDS.get(_of(row, "reqType", "type"))):
        raise TypeError("another record")
    if not (record_id := _of(row, "id")):
        raise LookupError("id")
    if "data" in row:
        data = row["data"]
        body = (data if isinstance(data, str) else json.dumps(data)).encode()
    else:
        body = b64decode(_of(row, "bytes", "data_base64"), validate=True)
    return Record(record_id, kind, body, place)


def _of(row: Mapping[str, Any], *names: str) -> str:
    for name in names:
        if name in row:
            return str(row[name])
    raise LookupError(names[0])
