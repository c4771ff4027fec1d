"""The splits that the card of a data set on the hub gives to its files.

Source: https://huggingface.co/docs/hub/datasets-manual-configuration
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from yaml import YAMLError

from components.errors import InputError
from components.merge.reading.split_names import WHOLE, split_of, with_parent

Stated = Mapping[Path, Sequence[str]]
"""The splits of a file in the words of a card, of those files to which it gives one."""

_CARD = "README.md"

_log = logging.getLogger(__name__)


def stated_splits(files: Sequence[Path], root: Path) -> Stated:
    """Read the splits of files in the card of their folder, or of the clone it is part of.

    Args:
        files: Files in or below the root.
        root: The folder of the data set.
    """
    return next((found for home in with_parent(root) if (found := _stated(files, home))), {})


def by_card(named: Mapping[Path, str], stated: Stated) -> dict[Path, str]:
    """Give files whose names have no split those of the card, if it has one for each.

    Args:
        named: The split of each file by its name, or `WHOLE`.
        stated: The result of `stated_splits`.

    Raises:
        InputError: If the card gives a file to another split than its name does.
    """
    said = {file: {split_of(name) or WHOLE for name in names} for file, names in stated.items()}
    unnamed = [file for file, split in named.items() if split == WHOLE]
    is_whole = all(len(said.get(file, ())) == 1 for file in unnamed)
    if is_whole:
        named = {file: next(iter(said[file])) if file in unnamed else named[file] for file in named}
    for file, split in named.items():
        if file in said and split not in said[file]:
            where = "has no split, and not all such files have one there"
            where = f"is that of {split}" if split != WHOLE else where
            rule = f"is given to {' and '.join(stated[file])} by the card, while its name {where}"
            raise InputError(str(file), rule, "Name the files by their splits, or correct the card")
    return dict(named)


def _stated(files: Iterable[Path], home: Path) -> Stated:
    patterns = list(_patterns(home / _CARD))
    found = {
        file: list(dict.fromkeys(split for split, path in patterns if _fits(file, home, path)))
        for file in files
    }
    return {file: splits for file, splits in found.items() if splits}


def _fits(file: Path, home: Path, pattern: str) -> bool:
    # `**/` stands for any folders, or none.
    inner = file.relative_to(home).as_posix()
    return any(fnmatchcase(inner, each) for each in (pattern, pattern.replace("**/", "")))


def _patterns(card: Path) -> Iterator[tuple[str, str]]:
    """The splits of a card, each with a path or pattern, relative to the card."""
    for config in _configs(card):
        listed = config.get("data_files")
        for entry in listed if isinstance(listed, list) else []:
            # A path alone is that of all rows.
            if isinstance(entry, Mapping) and "split" in entry:
                paths = entry.get("path", [])
                for path in paths if isinstance(paths, list) else [paths]:
                    below = Path(str(config.get("data_dir") or ""), str(path))
                    yield str(entry["split"]), below.as_posix()


def _configs(card: Path) -> list[Mapping[str, Any]]:
    text = card.read_text("utf-8", "replace") if card.is_file() else ""
    if "data_files" not in text:
        return []
    from huggingface_hub import DatasetCard

    try:
        configs = DatasetCard(text, ignore_metadata_errors=True).data.get("configs")
    except (ValueError, TypeError, AttributeError, YAMLError) as error:
        _log.warning("merge: %s cannot be read: %s", card, error)
        return []
    listed = configs if isinstance(configs, list) else []
    return [config for config in listed if isinstance(config, Mapping)]
