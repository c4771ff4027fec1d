"""The check of a data set's rows: what merge would refuse to read, before anything is generated."""

from pathlib import Path
from tempfile import TemporaryDirectory

from components import storage
from components.artifacts.task import load_task
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
    elif storage.scheme_of(settings.dataset) != "package":
        if path := storage.local_path(settings.dataset):
            storage.require_few_files(path)
        sizes = storage.open_store(settings.dataset).sizes()
        size = sum(_unpacked(name or settings.dataset, each) for name, each in sizes.items())
        if size > _MOST_BYTES:
            raise NotCheckedError(f"{size / 1e6:,.0f} MB of rows are not read before the run")
    task = load_task(settings.task)
    try:
        from components.merge.reading.sources import locate, read_tables

        with TemporaryDirectory() as downloads:
            tables = read_tables(settings, locate(settings, Path(downloads)))
    except ModuleNotFoundError as error:
        raise NotCheckedError(f"what reads the rows is not installed here: {error}") from error
    for name, rows in tables.items():
        unknown = [str(each) for each in rows["label"] if task.label_id(each) is None]
        if len(unknown) > settings.max_invalid_share * len(rows):
            shown = ", ".join(f"{each!r:.60}" for each in list(dict.fromkeys(unknown))[:_SHOWN])
            rule = f"{len(unknown)} of {len(rows)} rows have unknown labels: {shown}"
            fix = f"Map them with label_map to {', '.join(task.names)}, or let a share be dropped"
            raise InputError(f"{settings.dataset}, {name}", rule, fix)


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
