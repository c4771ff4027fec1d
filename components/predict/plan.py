"""The plan: which rows of which file are which part, and which model scores them.

It is the first file of an output. All shards read it there, so that they agree. A later try goes on
where the last one ended, or is refused if it would mix two kinds of results.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from components import storage
from components.errors import InputError
from components.predict.columns import Columns
from components.predict.inputs import Source
from components.predict.model import ModelIdentity
from components.predict.settings import PredictSettings
from components.predict.tables.opening import ending_of
from components.predict.tables.table import Named

PLAN = "_plan.json"
RECORDS = "_records"
_TRIAL = "_predict-"
MANIFEST, REPORT = "predictions.json", "report.html"
_CHOICES = ("text_column", "prefix", "max_characters", "part_rows", "least_sure", "show_texts")
"""Settings that parts of one output must share."""


@dataclass(frozen=True)
class Part:
    """Rows of a file that are scored and stored together.

    Args:
        source: Name of their file.
        start: Place of the first row, from 0.
        stop: Place after the last row.
        name: Name of the file that is written.
    """

    source: str
    start: int
    stop: int
    name: str

    @property
    def record(self) -> str:
        """Name of the file that says what is known of the part, written after it."""
        return f"{RECORDS}/{self.name}.json"


@dataclass(frozen=True)
class Plan:
    """What is done, by all shards and tries.

    Args:
        input: The place of the rows.
        model: Which model scores.
        sources: The files.
        choices: Settings that matter to the result.
    """

    input: str
    model: ModelIdentity
    sources: tuple[Source, ...]
    choices: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """Number of all rows."""
        return sum(each.rows for each in self.sources)

    @property
    def named(self) -> Named:
        """The columns, of the input and those that are added."""
        return named_for(self.choices["text_column"], self.model.labels, self.choices["prefix"])

    @property
    def identity(self) -> str:
        """Hash of what decides the result: not where the model and the rows are."""
        decisive = {
            "model": self.model.sha256,
            "sources": [asdict(each) for each in self.sources],
            "choices": dict(self.choices),
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def parts(self) -> Iterator[Part]:
        """All parts, those of a file in the order of its rows."""
        size = self.choices["part_rows"]
        for source in self.sources:
            ending = ending_of(source.name)
            for number, start in enumerate(range(0, source.rows, size)):
                name = f"{source.name}/part-{number:05d}{ending}"
                yield Part(source.name, start, min(start + size, source.rows), name)

    def shards(self, most: int) -> int:
        """Number of shards that have something to do, of so many at most."""
        return min(most, len(list(self.parts())))

    def share(self, shard: int, shards: int) -> Sequence[Part]:
        """The parts of a shard: neighbours, so that it reads few files."""
        parts = list(self.parts())
        return parts[shard * len(parts) // shards : (shard + 1) * len(parts) // shards]

    def to_json(self) -> str:
        """All of it as JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"


def named_for(text: str, labels: tuple[str, ...], prefix: str) -> Named:
    """The columns of an input, and those that are added to it."""
    return Named(text, Columns(labels, prefix))


def plan_for(settings: PredictSettings, model: ModelIdentity, sources: Sequence[Source]) -> Plan:
    """Plan what the settings ask for."""
    choices = {name: getattr(settings, name) for name in _CHOICES}
    return Plan(settings.input, model, tuple(sources), choices)


def read_plan(output: str) -> Plan:
    """Read the plan of an output.

    Raises:
        InputError: If there is none, or it is malformed.
    """
    content, generation = storage.open_store(output).read(PLAN)
    if not generation:
        raise InputError(f"output {output}", f"has no {PLAN}", "Plan first")
    return _parsed(content, output)


def require_usable(settings: PredictSettings, run_id: str) -> None:
    """Refuse an output that cannot be written, or that holds something else.

    Args:
        settings: The user's choices.
        run_id: Keeps the file that tries the folder out apart from those of others.

    Raises:
        InputError: If it is refused.
    """
    output = settings.output
    storage.require_writable(output, f"{_TRIAL}{run_id}.json")
    # An account without a right to remove leaves what has tried it out.
    present = [name for name in storage.open_store(output).sizes() if not name.startswith(_TRIAL)]
    if present and PLAN not in present:
        rule = f"holds something else (it has no {PLAN})"
        raise InputError(f"output {output}", rule, "Name a folder that is new or empty")


def keep(settings: PredictSettings, plan: Plan) -> None:
    """Write a plan into its output, unless another one is there.

    Raises:
        InputError: If the output is that of another plan and is not to be overwritten.
    """
    store = storage.open_store(settings.output)
    content, generation = store.read(PLAN)
    if generation and (old := _parsed(content, settings.output)).identity != plan.identity:
        if not settings.overwrite:
            rule = f"holds rows of other {_difference(old, plan)}, which would mix with these"
            fix = "Name another output, go on as before, or set overwrite=true to replace them"
            raise InputError(f"output {settings.output}", rule, fix)
        parts = list(old.parts())
        store.remove([MANIFEST, REPORT, *(part.record for part in parts)])
        store.remove([part.name for part in parts])
    if not store.replace(PLAN, plan.to_json().encode(), generation):
        rule = "is being written by somebody else"
        raise InputError(f"output {settings.output}", rule, "Wait, or name another output")


def _difference(old: Plan, new: Plan) -> str:
    if old.model.sha256 != new.model.sha256:
        return f"model ({old.model.sha256[:12]}, {old.model.uri})"
    if old.sources != new.sources:
        return "input"
    changed = [name for name in _CHOICES if old.choices.get(name) != new.choices[name]]
    return f"settings ({', '.join(changed)})"


def _parsed(content: bytes, output: str) -> Plan:
    try:
        return TypeAdapter(Plan).validate_json(content)
    except ValidationError as error:
        fix = "Name another output"
        raise InputError(f"output {output}", f"has a {PLAN} that is none", fix) from error
