"""Finished parts: written whole, and known by a record that is written after them."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import TypeAdapter, ValidationError

from components import storage
from components.predict.columns import Scores
from components.predict.plan import Part, Plan
from components.predict.tables.table import Table, Window
from components.predict.tally import Tally, tally_of


@dataclass(frozen=True)
class Record:
    """What is known of a finished part.

    Args:
        plan: Identity of the plan that it belongs to.
        sha256: Hash of its file.
        bytes: Size of its file.
        seconds: Time that it took, of one shard.
        tally: What its rows count.
    """

    plan: str
    sha256: str
    bytes: int
    seconds: float
    tally: Tally


def finished(plan: Plan, output: str, parts: Iterable[Part]) -> Mapping[str, Record]:
    """Read the records of the parts that are there, by the names of the parts.

    What is of another plan, damaged or without its part counts as not done.
    """
    store = storage.open_store(output)
    sizes = store.sizes()
    wanted = {each.name: each.record for each in parts if each.record in sizes}
    found = {}
    with TemporaryDirectory() as folder:
        storage.download(store, {name: sizes[name] for name in wanted.values()}, Path(folder))
        for name, record in wanted.items():
            known = _read(Path(folder) / record)
            if known and known.plan == plan.identity and sizes.get(name) == known.bytes:
                found[name] = known
    return found


def write(
    plan: Plan,
    part: Part,
    table: Table,
    scored: Iterable[tuple[Window, Scores]],
    output: str,
    begun: float,
) -> Record:
    """Write a part, and then its record.

    Args:
        plan: The plan.
        part: The part.
        table: The table that its rows are of.
        scored: Its rows with what the model says of them.
        output: Where to.
        begun: When work on it began, by `time.monotonic`: its first rows are scored already.

    Raises:
        StepError: If the output cannot be written.
    """
    store, tally, choices = storage.open_store(output), Tally(), plan.choices
    with TemporaryDirectory() as folder:
        path = Path(folder) / part.name
        path.parent.mkdir(parents=True)
        with table.writing(path) as add:
            for window, scores in scored:
                add(window, scores)
                keep = choices["least_sure"], choices["show_texts"]
                counted = tally_of(part.source, window, scores, plan.model.labels, *keep)
                tally.add(counted, choices["least_sure"])
        size, sha256 = path.stat().st_size, storage.sha256(path)
        store.put(Path(folder), [part.name])
    seconds = round(time.monotonic() - begun, 3)
    record = Record(plan.identity, sha256, size, seconds, tally)
    store.write(part.record, (json.dumps(asdict(record)) + "\n").encode())
    return record


def _read(path: Path) -> Record | None:
    try:
        return TypeAdapter(Record).validate_json(path.read_bytes())
    except ValidationError:
        return None
