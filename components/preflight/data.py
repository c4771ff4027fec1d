"""The check of real rows: what merge would refuse to read, before anything is generated."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from components import storage
from components.artifacts.task import Task, load_task
from components.errors import InputError
from components.merge.settings import MergeSettings
from components.preflight.checks import NotCheckedError

_MOST_BYTES = 32 * 2**20
_PLAIN = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson")
_PACKED = 10
"""Rows are about this many times as large as their compressed file."""
_SHOWN = 5
_SAMPLE = MergeSettings.dataset


def require_rows(settings: MergeSettings) -> None:
    """Refuse files of rows that cannot be read, or whose labels are not those of the task.

    Raises:
        InputError: As merge would.
        NotCheckedError: If they are too large to be read in a moment, or this machine has not what
            reads them.
    """
    if settings.dataset == _SAMPLE:
        if settings.task == MergeSettings.task:
            # They come together, and what reads rows takes a second to load.
            return
    else:
        if path := storage.local_path(settings.dataset):
            storage.require_few_files(path)
        _require_small(settings.dataset)
    task = load_task(settings.task)
    with _readers():
        from components.merge.reading.sources import locate, read_tables

        with TemporaryDirectory() as downloads:
            tables = read_tables(settings, locate(settings, Path(downloads)))
    fix = f"Map them with label_map to {', '.join(task.names)}"
    for name, rows in tables.items():
        _require_labels(f"{settings.dataset}, {name}", list(rows["label"]), settings, task, fix)


def require_labelled(settings: MergeSettings) -> None:
    """Refuse rows that people labelled if they cannot be read, or their labels are not the task's.

    Raises:
        InputError: As merge would.
        NotCheckedError: As for `require_rows`.
    """
    _require_small(settings.feedback.partition(storage.PIN)[0])
    task = load_task(settings.task)
    with _readers():
        from components.merge.feedback import read_labelled

        labels = list(read_labelled(settings.feedback).rows["label"])
    fix = f"Correct them, to {', '.join(task.names)}"
    _require_labels(f"feedback {settings.feedback}", labels, settings, task, fix)


def _require_small(place: str) -> None:
    if storage.scheme_of(place) == "package":
        return
    sizes = storage.open_store(place).sizes()
    size = sum(_unpacked(name or place, each) for name, each in sizes.items())
    if size > _MOST_BYTES:
        raise NotCheckedError(f"{size / 1e6:,.0f} MB of rows are not read before the run")


@contextmanager
def _readers() -> Iterator[None]:
    """Import and use what reads rows, if this machine has it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise NotCheckedError(f"what reads the rows is not installed here: {error}") from error


def _require_labels(
    where: str, labels: Sequence[object], settings: MergeSettings, task: Task, fix: str
) -> None:
    unknown = [str(each) for each in labels if task.label_id(each) is None]
    if len(unknown) > settings.max_invalid_share * len(labels):
        shown = ", ".join(f"{each!r:.60}" for each in list(dict.fromkeys(unknown))[:_SHOWN])
        rule = f"{len(unknown)} of {len(labels)} rows have unknown labels: {shown}"
        raise InputError(where, rule, f"{fix}, or let a share be dropped")


def _unpacked(name: str, size: int) -> int:
    return size if name.lower().endswith(_PLAIN) else _PACKED * size


def require_readable_on_hub(settings: MergeSettings) -> None:
    """Refuse a hub data set that has a script, or an open choice of configs; without its rows.

    Raises:
        InputError: As merge would.
        NotCheckedError: If this machine has not what reads it.
    """
    try:
        import datasets

        from components.merge.reading.hub_sets import not_readable
    except ModuleNotFoundError as error:
        raise NotCheckedError(f"what reads it is not installed here: {error}") from error
    try:
        datasets.load_dataset_builder(
            settings.dataset, settings.dataset_config or None, revision=settings.dataset_revision
        )
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise not_readable(settings.dataset, error) from error
