"""Data sets as the library `datasets` has them: on the hub, saved to disk, described in a card."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from components.artifacts.dataset import SPLITS, TRAIN
from components.errors import InputError
from components.merge.reading.labels import names_in
from components.merge.reading.separated import require_columns
from components.merge.reading.split_names import WHOLE, split_of
from components.merge.reading.tables import chosen

_CARD, _INFOS, _INFO = "README.md", "dataset_infos.json", "dataset_info.json"
_REASON_CHARACTERS = 400
_CSV = "csv"
# By itself, its reader takes texts such as NA, null and None for absent ones.
_AS_TEXTS: Mapping[str, Any] = {"keep_default_na": False, "na_values": [""]}

_log = logging.getLogger(__name__)


def read_hub(
    name: str, revision: str, named: Sequence[str], config: str = ""
) -> dict[str, pd.DataFrame]:
    """Read the splits of a data set on the hub, with labels by name where it states them.

    Args:
        name: owner/name.
        revision: Commit.
        named: Columns of texts and labels.
        config: The config that is meant, where it has several; empty for its only or default one.

    Raises:
        InputError: If it cannot be read; it gives the hub's reason.
    """
    import datasets

    try:
        loaded = datasets.load_dataset(name, config or None, revision=revision)
        described = next((rows.info for rows in loaded.values()), None)
        if described and described.builder_name == _CSV:
            chosen_config = config or described.config_name
            loaded = datasets.load_dataset(name, chosen_config, revision=revision, **_AS_TEXTS)
    except Exception as error:  # Every format and every network has errors of its own.
        raise not_readable(name, error) from error
    return _tables(loaded, named, f"dataset {name}")


def not_readable(name: str, error: Exception) -> InputError:
    """The error for a data set on the hub that cannot be read, with the reason in its words."""
    reason = " ".join(str(error).split())[:_REASON_CHARACTERS]
    rule = f"cannot be read from the hub, and is not a path here ({type(error).__name__}: {reason})"
    fix = (
        "Check the name, the revision, the network and HF_TOKEN, set "
        "merge_options.dataset_config to one of several configs, or download the files that are "
        "meant and give their folder"
    )
    return InputError(f"dataset {name}", rule, fix)


def is_saved(root: Path) -> bool:
    """Check for a folder that `save_to_disk` wrote."""
    names = {"state.json", "dataset_info.json"}
    return (root / "dataset_dict.json").is_file() or all((root / each).is_file() for each in names)


def read_saved(root: Path, named: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Read a folder that `save_to_disk` wrote, with labels by name where it states them.

    Raises:
        InputError: If it cannot be read.
    """
    import datasets

    try:
        loaded = datasets.load_from_disk(str(root))
    except (OSError, ValueError, KeyError, TypeError) as error:
        rule = f"looks like a folder of `save_to_disk`, but cannot be read: {error}"
        raise InputError(str(root), rule, "Save it again") from error
    is_whole = isinstance(loaded, datasets.Dataset)
    return _tables({WHOLE: loaded} if is_whole else loaded, named, str(root))


def stated_names(root: Path, label: str) -> list[str]:
    """The names of labels, by their ids, that the hub's files of a folder state; none if none do.

    Raises:
        InputError: If they state different ones, or may state some and cannot be read.
    """
    features = [each for file in (_CARD, _INFOS, _INFO) for each in _features(root / file)]
    found = {tuple(names) for each in features if (names := _names_of(each, label))}
    if len(found) > 1:
        rule = f"states the names of labels in different orders: {sorted(found)}"
        raise InputError(str(root), rule, f"Remove the wrong ones from {_CARD}, {_INFOS}, {_INFO}")
    return list(found.pop()) if found else []


def _names_of(features: Mapping[str, Any], label: str) -> Sequence[str]:
    """The names of the column of labels, which a card may call otherwise than the table."""
    if label in features:
        return names_in(features, label)
    stated = [names for each in features if (names := names_in(features, each))]
    return stated[0] if len(stated) == 1 else ()


def _features(file: Path) -> list[Mapping[str, Any]]:
    """The columns of each config that a card, or its older form in JSON, describes."""
    text = file.read_text("utf-8", "replace") if file.is_file() else ""
    # The library takes a second to load, and most cards describe no columns.
    if "features" not in text:
        return []
    from datasets.info import DatasetInfo, DatasetInfosDict
    from huggingface_hub import DatasetCard

    try:
        if file.name == _CARD:
            infos = DatasetInfosDict.from_dataset_card_data(DatasetCard(text).data).values()
        else:
            content = json.loads(text)
            listed = [content] if file.name == _INFO else content.values()
            infos = [DatasetInfo.from_dict(each) for each in listed]
        return [info.features or {} for info in infos]
    except Exception as error:  # Any fault of a file that nobody needs to have.
        if "class_label" in text or "ClassLabel" in text:
            rule = f"states the names of labels, but cannot be read: {error}"
            raise InputError(str(file), rule, "Correct it, or take it out of the folder") from error
        _log.warning("merge: %s cannot be read: %s", file, error)
        return []


def _tables(loaded: Mapping[str, Any], named: Sequence[str], where: str) -> dict[str, pd.DataFrame]:
    splits = {name: split_of(name) for name in loaded}
    if len(loaded) == 1 and not any(splits.values()):
        splits = dict.fromkeys(loaded, WHOLE)
    names = {split: name for name, split in splits.items() if split}
    unread = [name for name, split in splits.items() if not split]
    if len(names) + len(unread) < len(splits):
        rule = f"has more than one split of a kind: {', '.join(map(str, splits))}"
        raise InputError(where, rule, "Download those that are meant, and give their folder")
    for name in unread:
        _log.warning("merge: not read: split %s of %s", name, where)
    if not {WHOLE, TRAIN} & set(names):
        rule = f"has no train split (it has {', '.join(map(str, splits))})"
        fix = "Download the rows to train on, and give their file or folder"
        raise InputError(where, rule, fix)
    return {
        split: _rows(loaded[names[split]], named, f"split {names[split]}")
        for split in (WHOLE, *SPLITS)
        if split in names
    }


def _rows(split: Any, named: Sequence[str], where: str) -> pd.DataFrame:
    require_columns(split.column_names, named, where)
    frame = split.select_columns(list(named)).to_pandas()
    return chosen(frame, named, where, names_in(split.features, named[1])).assign(file=where)
