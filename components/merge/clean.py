"""Checks on rows, and removal of duplicates that would make the scores dishonest."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from components.artifacts.dataset import REAL
from components.artifacts.synthetic import LABEL_PROBABILITIES
from components.artifacts.task import Task
from components.errors import InputError
from components.merge.audit import INVALID, Audit
from components.merge.feedback import FEEDBACK
from components.merge.settings import MergeSettings
from components.texts import first_matches, fold, near_matches

_ROUNDING = 0.01


def checked(
    raw: pd.DataFrame,
    task: Task,
    where: str,
    settings: MergeSettings,
    audit: Audit,
    fix: str = "Correct the rows",
) -> pd.DataFrame:
    """Check every row, and turn labels into ids.

    Args:
        raw: Columns `text`, `label` (a name or an id), `place`, `source`, `model`, `origin` and
            perhaps `label_probabilities` (by label name).
        task: The labels that are allowed.
        where: Name of the rows, for messages.
        settings: Length of texts, and share of rows that may be invalid.
        audit: Records the check and the invalid rows.
        fix: What can be done about labels of these rows.

    Returns:
        The valid rows, with `text` stripped, `label` an id and probabilities in the order of ids.

    Raises:
        InputError: If too many rows have no text, too long a text, an unknown label or
            probabilities that are none; it names the first few rows and their faults.
    """
    faults = pd.Series(_faults(raw, task, settings.max_characters), index=raw.index, dtype=object)
    invalid = faults.notna()
    failure = InputError(
        where,
        "has rows that cannot be used",
        f"Labels are {', '.join(task.names)} or their ids. {fix}, raise max_characters, or let a "
        "share be dropped with max_invalid_share",
    )
    rows = raw.assign(reason=faults)[invalid]
    name = f"invalid_share_{raw['origin'].iloc[0]}" if len(raw) else "invalid_share"
    share = float(invalid.mean()) if len(raw) else 0.0
    audit.require_at_most(name, share, settings.max_invalid_share, failure, rows)
    valid = audit.drop(raw, invalid, INVALID).reset_index(drop=True)
    labels = pd.array([task.label_id(label) for label in valid["label"]], dtype="int64")
    if LABEL_PROBABILITIES in valid:
        told = [_in_order(each, task) for each in valid[LABEL_PROBABILITIES]]
        valid[LABEL_PROBABILITIES] = pd.Series(told, index=valid.index, dtype=object)
    return valid.assign(text=[text.strip() for text in valid["text"]], label=labels)


def remove_repeats(synthetic: pd.DataFrame, settings: MergeSettings, audit: Audit) -> pd.DataFrame:
    """Remove synthetic rows that (nearly) repeat an earlier one, of any source."""
    matches = pd.Series(first_matches(synthetic["text"], settings.leak_similarity), dtype="float64")
    matched = matches.notna()
    first = synthetic.iloc[matches.fillna(0).astype(int)] if len(synthetic) else synthetic
    is_other = matched & (synthetic["origin"].to_numpy() != first["origin"].to_numpy())
    keys = synthetic["text"].map(fold)
    is_same = matched & (keys.to_numpy() == first["text"].map(fold).to_numpy())
    rows = audit.drop(synthetic, is_other, "in_other_source")
    rows = audit.drop(rows, (is_same & ~is_other)[rows.index], "repeated")
    rows = audit.drop(rows, matched[rows.index], "near_repeated")
    return rows.reset_index(drop=True)


def remove_leaks(
    train: pd.DataFrame, held_out: pd.DataFrame, settings: MergeSettings, audit: Audit
) -> pd.DataFrame:
    """Remove train rows whose text is (nearly) in validation or test.

    A real text that is nearly the same as one of another label stays: the word, the emoji or the
    vowel that decides the label is what is to be learnt. The limit is there to find bad splits,
    which feedback says nothing about, so it does not count.

    Raises:
        InputError: If there are more such rows than `max_leak_share` allows.
    """
    train, held_out = train.reset_index(drop=True), held_out.reset_index(drop=True)
    matches = _matches(train, held_out, settings.leak_similarity)
    leaked = matches.notna()
    place = matches[leaked].astype(int)
    same = train["text"][leaked].map(fold) == held_out["text"].iloc[place].map(fold).to_numpy()
    exact = same.reindex(train.index, fill_value=False)
    said = same.map({True: "is the same as ", False: "is nearly the same as "})
    rows = train[leaked].assign(reason=list(said + held_out["place"].iloc[place].to_numpy()))
    rows, counted = rows[rows["origin"] != FEEDBACK], int((train["origin"] != FEEDBACK).sum())
    failure = InputError(
        f"{len(rows)} of {counted} train rows",
        f"are in validation or test too, more than max_leak_share={settings.max_leak_share:g}",
        "Split the data set again if it came with its splits, or raise max_leak_share (the rows "
        "are removed in any case)",
    )
    share = len(rows) / max(1, counted)
    audit.require_at_most("leak_share", share, settings.max_leak_share, failure, rows)
    kept = audit.drop(train, exact, "in_other_split")
    return audit.drop(kept, leaked[kept.index], "near_other_split").reset_index(drop=True)


def clean_train(train: pd.DataFrame, audit: Audit) -> pd.DataFrame:
    """Train rows without real texts that contradict each other or repeat, and copies of them.

    Args:
        train: Real and synthetic rows; the latter have been through `remove_repeats`.
        audit: Gets the rows that are removed.
    """
    keys = train["text"].map(fold)
    is_real = train["source"] == REAL
    real = train[is_real]
    labels = real.groupby(keys[is_real])["label"].transform("nunique")
    conflicting = labels.reindex(train.index, fill_value=0) > 1
    copies = ~is_real & keys.isin(set(keys[is_real]))
    rows = audit.drop(train, conflicting, "conflicting_labels")
    rows = audit.drop(rows, copies[rows.index], "copies_real")
    return audit.drop(rows, keys[rows.index].duplicated(), "repeated").reset_index(drop=True)


def remove_near_copies(rows: pd.DataFrame, settings: MergeSettings, audit: Audit) -> pd.DataFrame:
    """Remove real rows that nearly repeat an earlier one of their label, before rows are drawn."""
    found: list[Any] = []
    for _, part in rows.groupby("label"):
        matches = first_matches(part["text"], settings.leak_similarity)
        found += [row for row, place in zip(part.index, matches, strict=True) if place is not None]
    copies = pd.Series(rows.index.isin(found), index=rows.index)
    return audit.drop(rows, copies, "near_repeated").reset_index(drop=True)


def _matches(train: pd.DataFrame, held_out: pd.DataFrame, similarity: float) -> pd.Series:
    """For each train row the place of the held-out one that it (nearly) repeats, or NaN."""
    folded = held_out["text"].map(fold)
    places = dict(zip(folded, held_out.index, strict=True))
    matches = train["text"].map(fold).map(places).astype("float64")
    others, is_real = matches.isna(), train["source"] == REAL
    pairs = [(train[others & ~is_real], held_out)]
    for label, rows in train[others & is_real].groupby("label"):
        pairs.append((rows, held_out[held_out["label"] == label]))
    for rows, texts in pairs:
        near = near_matches(rows["text"], list(texts["text"]), similarity)
        found = {
            row: texts.index[at] for row, at in zip(rows.index, near, strict=True) if at is not None
        }
        matches.update(pd.Series(found, dtype="float64"))
    return matches


def _faults(raw: pd.DataFrame, task: Task, max_characters: int) -> Iterator[str | None]:
    told = raw.get(LABEL_PROBABILITIES, pd.Series(None, index=raw.index, dtype=object))
    for text, label, probabilities in zip(raw["text"], raw["label"], told, strict=True):
        fault = _text_fault(text, max_characters)
        if fault is None and task.label_id(label) is None:
            fault = f"label {label!r:.60} is unknown"
        if fault is None and not _is_absent(probabilities):
            fault = _probability_fault(probabilities, task)
        yield fault


def _is_absent(value: Any) -> bool:
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def _probability_fault(probabilities: Any, task: Task) -> str | None:
    known = isinstance(probabilities, Mapping) and set(probabilities) <= set(task.names)
    values = list(probabilities.values()) if known else []
    if not all(isinstance(each, int | float) and 0 <= each <= 1 for each in values):
        values = []
    if abs(sum(values) - 1) > _ROUNDING:
        return f"{LABEL_PROBABILITIES} {probabilities!r:.60} are no probabilities of the labels"
    return None


def _in_order(probabilities: Any, task: Task) -> list[float] | None:
    """Probabilities by label id; None if there are none."""
    if _is_absent(probabilities):
        return None
    return [float(probabilities.get(name, 0)) for name in task.names]


def _text_fault(text: Any, max_characters: int) -> str | None:
    if _is_absent(text) or (isinstance(text, str) and not text.strip()):
        return "the text is empty"
    if not isinstance(text, str):
        return f"the text is no text, but of type {type(text).__name__}: {text!r:.60}"
    if len(text) > max_characters:
        return f"the text is longer than {max_characters} characters"
    if text.encode("utf-8", "replace").decode() != text:
        return "the text is not valid Unicode"
    return None
