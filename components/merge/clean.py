"""Checks on rows, and removal of duplicates that would make the scores dishonest."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from components.checks import InputError
from components.task import Task
from components.text import fold

_MAX_CHARACTERS = 100_000
_FAULTS_SHOWN = 5


def checked(raw: pd.DataFrame, task: Task, where: str) -> pd.DataFrame:
    """Rows with text and label id, after every row has been checked.

    Args:
        raw: Columns `text`, `label` (a name or an id) and `place`.
        task: The labels that are allowed.
        where: What the rows are, for messages.

    Returns:
        Columns `text` (stripped) and `label` (id).

    Raises:
        InputError: If a column is missing, or any row has no text or an unknown label; it
            names the first few rows and their faults.
    """
    if missing := {"text", "label"} - set(raw.columns):
        rule = f"lacks the column {', '.join(sorted(missing))} (it has {list(raw.columns)})"
        raise InputError(where, rule, "Rename the columns to `text` and `label`")
    faults = list(_faults(raw, task))
    if faults:
        shown = "; ".join(faults[:_FAULTS_SHOWN])
        more = f" and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
        labels = f"Labels are {', '.join(task.names)} or their ids"
        raise InputError(where, f"has rows that cannot be used: {shown}{more}", labels)
    return pd.DataFrame(
        {
            "text": [text.strip() for text in raw["text"]],
            "label": pd.array([task.label_id(label) for label in raw["label"]], dtype="int64"),
        }
    )


def clean_train(train: pd.DataFrame, held_out: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Train rows without texts that are held out, contradict each other or occur twice.

    Args:
        train: Columns `text`, `label`.
        held_out: Validation and test rows; they are left as they are.

    Returns:
        The rows that stay, and how many were removed for each reason.
    """
    keys = train["text"].map(fold)
    leaked = keys.isin(set(held_out["text"].map(fold)))
    conflicting = train.groupby(keys)["label"].transform("nunique") > 1
    repeated = keys.duplicated()
    removed = {
        "in_other_split": int(leaked.sum()),
        "conflicting_labels": int((conflicting & ~leaked).sum()),
        "repeated": int((repeated & ~conflicting & ~leaked).sum()),
    }
    kept = train[~(leaked | conflicting | repeated)]
    return kept.reset_index(drop=True), removed


def clean_synthetic(
    synthetic: pd.DataFrame, real: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Synthetic rows without texts that stand in any real split or occur twice."""
    keys = synthetic["text"].map(fold)
    copied = keys.isin(set(real["text"].map(fold)))
    repeated = keys.duplicated()
    removed = {
        "synthetic_copies_real": int(copied.sum()),
        "synthetic_repeated": int((repeated & ~copied).sum()),
    }
    return synthetic[~(copied | repeated)].reset_index(drop=True), removed


def _faults(raw: pd.DataFrame, task: Task) -> Iterator[str]:
    for place, text, label in zip(raw["place"], raw["text"], raw["label"], strict=True):
        if (fault := _text_fault(text)) is not None:
            yield f"{place}: {fault}"
        elif task.label_id(label) is None:
            yield f"{place}: label {label!r:.60} is unknown"


def _text_fault(text: Any) -> str | None:
    if not isinstance(text, str) or not text.strip():
        return "the text is empty"
    if len(text) > _MAX_CHARACTERS:
        return f"the text is longer than {_MAX_CHARACTERS} characters"
    if text.encode("utf-8", "replace").decode() != text:
        return "the text is not valid Unicode"
    return None
