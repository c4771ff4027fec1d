"""Readers of labelled rows: the embedded sample, files, folders, object storage, the hub."""

import logging
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from components import storage
from components.artifacts.dataset import REAL, SYNTHETIC
from components.artifacts.synthetic import LABEL_PROBABILITIES, SENTENCES, read_sentences
from components.artifacts.task import is_id, label_key, load_task
from components.errors import InputError
from components.merge.reading import hub_sets
from components.merge.reading.copies import require_distinct
from components.merge.reading.label_files import require_same
from components.merge.reading.labels import mapped, require_certain_ids, require_used, with_names
from components.merge.reading.split_files import split_files
from components.merge.reading.split_names import split_of, with_parent
from components.merge.reading.tables import MOST_BYTES, NAMED, chosen, read_file, too_large
from components.merge.settings import MergeSettings

Tables = Mapping[str, pd.DataFrame]
"""Raw rows by split name, or one table under `WHOLE`."""

_DAMAGED = (
    *(OSError, ValueError, RuntimeError, EOFError),
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
_CHUNK_BYTES = 2**20

_log = logging.getLogger(__name__)


def locate(settings: MergeSettings, downloads: Path) -> Path | None:
    """Find the file or folder of the data set that the settings name; None if it is on the hub.

    Args:
        settings: Name and pin of the data set.
        downloads: A folder for what is downloaded or unpacked.

    Raises:
        InputError: If it is missing, is on the hub and not pinned, differs from its pin, or is an
            archive that cannot be unpacked.
    """
    if settings.dataset == "sample":
        return storage.fetch("package:components.merge/sample", downloads)
    if settings.is_on_hub:
        settings.require_pinned()
        return None
    path = storage.fetch(settings.dataset + settings.pin, downloads)
    return _unpacked(path, downloads / "unpacked") if is_archive(path) else path


def read_tables(settings: MergeSettings, path: Path | None) -> Tables:
    """Read the real rows of the data set.

    Args:
        settings: Name and columns of the data set.
        path: The result of `locate`.

    Returns:
        Columns `text`, `label`, `given` (the label as it stands there), `file`, `place`, `model`,
        `source` and `origin`.

    Raises:
        InputError: If the source cannot be read or lacks a column, or if a split, or the meaning of
            the labels, is not certain; it names the file and place.
    """
    named = (settings.text_column, settings.label_column)
    found: Mapping[str, Sequence[Path]] = {}
    if path is None:
        tables = hub_sets.read_hub(
            settings.dataset, settings.dataset_revision, named, settings.dataset_config
        )
    elif path.is_dir() and hub_sets.is_saved(path):
        tables = hub_sets.read_saved(path, named)
    else:
        found = split_files(path, named)
        _require_little(path, found)
        names = _stated_names(_homes(path, found), named[1])
        tables = {split: _read_split(files, path, named, names) for split, files in found.items()}
    labels = [each for rows in tables.values() for each in rows["label"]]
    if not settings.label_map and any(is_id(label_key(label)) for label in labels):
        task = load_task(settings.task)
        read = [file for files in found.values() for file in files]
        if path is None or not require_same(_homes(path, found), read, named, task):
            require_certain_ids(labels, task)
    require_used(settings.label_map, labels)
    return {name: _as_rows(rows, name, settings) for name, rows in tables.items()}


def read_synthetic(folder: Path, number: int) -> pd.DataFrame:
    """Read the rows that generate wrote into a folder.

    Args:
        folder: Holds `synthetic_emotions.json`.
        number: Tells several sources apart, from 1.

    Returns:
        Columns `text`, `label`, `place`, `source`, `origin` and `model`, and
        `label_probabilities` if a judge has seen a row.

    Raises:
        InputError: If the file is missing, cannot be read or lacks a column.
    """
    name = f"{SYNTHETIC}_{number}"
    # A branch may have given nothing (`allow_partial`).
    frame = pd.DataFrame(read_sentences(folder) or {"text": [], "label": []})
    rows = chosen(frame, NAMED, f"{name}, {SENTENCES}").drop(columns="given")
    if LABEL_PROBABILITIES in frame:
        rows[LABEL_PROBABILITIES] = frame[LABEL_PROBABILITIES]
    models = frame["model"].fillna(name) if "model" in frame else name
    return rows.assign(model=models, source=SYNTHETIC, origin=name)


def require_files(path: Path) -> None:
    """Refuse a folder in which there is nothing to read, by the names of its files.

    Raises:
        InputError: As `split_files`.
    """
    if path.is_dir() and not hub_sets.is_saved(path):
        split_files(path)


def fingerprint(path: Path, tables: Tables) -> dict[str, str]:
    """Compute the sha256 of each file that rows come from, by name.

    Args:
        path: The result of `locate`.
        tables: What `read_tables` has read there.
    """
    if path.is_dir() and hub_sets.is_saved(path):
        return {_name(each, path): storage.sha256(each) for each in sorted(path.rglob("*.arrow"))}
    names = [name for rows in tables.values() for name in rows["file"].unique()]
    return {name: storage.sha256(path / name if path.is_dir() else path) for name in names}


def is_archive(path: Path) -> bool:
    """Check for a file that holds others."""
    suffixes = [each for _, known, _ in shutil.get_unpack_formats() for each in known]
    return path.is_file() and path.name.lower().endswith(tuple(suffixes))


def _unpacked(path: Path, folder: Path) -> Path:
    rule, fix = (
        "is an archive that cannot be unpacked",
        "Unpack it, and give the folder of its rows",
    )
    try:
        _require_small(path)
        # An archive of nothing would leave none.
        folder.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() == ".zip":
            shutil.unpack_archive(path, folder)
        else:
            # Names in an archive must not lead out of the folder; of a zip, shutil skips such.
            shutil.unpack_archive(path, folder, filter="data")
    except _DAMAGED as error:
        raise InputError(str(path), f"{rule}: {error}", fix) from error
    return _innermost(folder)


def _require_small(path: Path) -> None:
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as packed:
            size = sum(each.file_size for each in packed.infolist())
    else:
        with tarfile.open(path) as tar:
            size = sum(each.size for each in tar)
            # The checksum of what is compressed stands at its end.
            while tar.fileobj and tar.fileobj.read(_CHUNK_BYTES):
                pass
    if size > MOST_BYTES:
        raise ValueError(f"it holds {size:,} bytes, more than {MOST_BYTES:,}")


def _innermost(folder: Path) -> Path:
    """The folder itself, or the only one in it that an archive often begins with."""
    while True:
        inside = [each for each in folder.iterdir() if not each.name.startswith((".", "__"))]
        if len(inside) != 1 or not inside[0].is_dir() or split_of(inside[0].name):
            return folder
        folder = inside[0]


def _require_little(path: Path, found: Mapping[str, Sequence[Path]]) -> None:
    if sum(file.stat().st_size for files in found.values() for file in files) > MOST_BYTES:
        raise too_large(str(path))


def _homes(path: Path, found: Mapping[str, Sequence[Path]]) -> list[Path]:
    """The folders of the rows, and the one above if it is that of a clone, with its card."""
    inside = [file.parent for files in found.values() for file in files]
    root = path if path.is_dir() else path.parent
    return list(dict.fromkeys([*inside, *with_parent(root)]))


def _stated_names(homes: Sequence[Path], label: str) -> Sequence[str]:
    return next((names for home in homes if (names := hub_sets.stated_names(home, label))), ())


def _read_split(
    files: Sequence[Path], root: Path, named: tuple[str, str], names: Sequence[str]
) -> pd.DataFrame:
    """Read the files of one split; ids are named by the folder's card, if no file has names."""
    parts = []
    for file in files:
        rows = read_file(file, named, _name(file, root))
        _log.info("merge: %d rows in %s", len(rows), file)
        parts.append(rows.assign(file=_name(file, root)))
    require_distinct(parts)
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(label=with_names(rows["label"], names)) if names else rows


def _as_rows(rows: pd.DataFrame, name: str, settings: MergeSettings) -> pd.DataFrame:
    labels = pd.Series(mapped(rows["label"], settings.label_map), index=rows.index, dtype=object)
    return rows.assign(label=labels, model="", source=REAL, origin=name)


def _name(file: Path, root: Path) -> str:
    return file.name if file == root else file.relative_to(root).as_posix()
