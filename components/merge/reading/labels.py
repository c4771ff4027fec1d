"""The labels of a data set: ids that it names itself, and labels that the settings map."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from components.artifacts.task import Task, is_id, label_key
from components.errors import InputError

_SHOWN = 12


def with_names(labels: pd.Series, names: Sequence[str]) -> pd.Series:
    """Replace ids by the names that the data set states for them, in its own order.

    Names that are numbers, such as those of stars, would be taken for ids of the task: 5 becomes
    `name 5`, unless it is the name of id 5.

    Args:
        labels: Ids as numbers or texts; what is no id, or has no name, stays.
        names: Names in the order of the ids.
    """
    clear = [
        f"name {name}" if is_id(label_key(name)) and label_key(name) != str(place) else name
        for place, name in enumerate(names)
    ]
    by_key = {str(place): name for place, name in enumerate(clear)}
    return pd.Series(
        [by_key.get(label_key(each), each) for each in labels], index=labels.index, dtype=object
    )


def names_in(features: Mapping[str, Any], label: str) -> Sequence[str]:
    """The names of labels, by their ids, that features of `datasets` state; none if they do not."""
    return list(getattr(features.get(label), "names", None) or ())


def mapped(labels: Iterable[object], label_map: Mapping[str, str]) -> list[object]:
    """Replace the labels that a map has.

    Who maps ids has others than the task's, so an id that is not in the map is unknown then.
    """
    known = {label_key(key): name for key, name in label_map.items()}
    found = []
    for label in labels:
        key = label_key(label)
        is_unknown = bool(known) and is_id(key) and key not in known
        found.append(f"{key} (not in label_map)" if is_unknown else known.get(key, label))
    return found


def require_used(label_map: Mapping[str, str], labels: Iterable[object]) -> None:
    """Refuse a map that has no label of the data set.

    Raises:
        InputError: If not one is in it, which shows that the labels are others.
    """
    found = dict.fromkeys(str(label).strip() for label in labels)
    if not label_map or {label_key(key) for key in label_map} & set(map(label_key, found)):
        return
    shown = ", ".join(f"{label:.40}" for label in list(found)[:_SHOWN])
    rule = f"maps {', '.join(label_map)}, but the labels of the data set are {shown}"
    raise InputError("label_map", rule, "Map these, or leave it out")


def require_certain_ids(labels: Iterable[object], task: Task) -> None:
    """Refuse rows with nothing but ids that may be counted from 1: 1 and more are there, 0 is not.

    Args:
        labels: The labels of all rows, for whose ids no file or map states names.
        task: Its labels are counted from 0.

    Raises:
        InputError: If it is not certain what the ids mean; it shows a `label_map` for each reading.
    """
    keys = set(map(label_key, pd.Series(list(labels), dtype=object).dropna())) - {""}
    if not all(map(is_id, keys)) or "0" in keys or "1" not in keys or len(keys) == 1:
        return
    ids = sorted(map(int, keys))
    shown = ", ".join(map(str, ids[:_SHOWN]))
    rule = f"are ids of which 0 does not occur ({shown}): they may be counted from 0 or from 1"
    readings = [
        json.dumps({str(each): name for each, name in enumerate(task.names, start) if each in ids})
        for start in (0, 1)
    ]
    fix = f"Say in label_map what each means: {readings[0]} from 0, {readings[1]} from 1"
    raise InputError("the labels of the rows", rule, fix)
