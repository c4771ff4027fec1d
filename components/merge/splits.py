"""The rows of each split: drawn by label and seed before anything else, mixed and compared."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd
from sklearn.model_selection import train_test_split

from components.artifacts.dataset import REAL, SYNTHETIC, TEST, TRAIN, VALIDATION
from components.errors import InputError
from components.merge.audit import Audit
from components.merge.reading.split_names import WHOLE
from components.merge.settings import MergeSettings

_RAREST = 3

Splits = dict[str, pd.DataFrame]


def divide(
    real: Splits, synthetic: pd.DataFrame, settings: MergeSettings, labels: Sequence[str]
) -> Splits:
    """Split the real rows and add the synthetic ones to train; with `pool`, split them together."""
    if settings.pool:
        return _split_pooled(real, synthetic, settings, labels)
    splits = split_rows(real, settings, labels)
    return splits | {TRAIN: pd.concat([splits[TRAIN], synthetic], ignore_index=True)}


def split_rows(tables: Splits, settings: MergeSettings, labels: Sequence[str]) -> Splits:
    """Complete a data set to train, validation and test rows.

    Splits that the source has are kept as they are. A missing test split is taken from the
    train rows first, then a missing validation split from what remains.

    Args:
        tables: Checked rows by split name, or all of them under `WHOLE`.
        settings: Fractions and seed.
        labels: Label names in the order of their ids, for errors.

    Raises:
        InputError: If a label has too few rows for each split.
    """
    train = tables.get(TRAIN, tables.get(WHOLE))
    if train is None:
        raise InputError("data set", "has no train split", "Add one")
    test, validation = tables.get(TEST), tables.get(VALIDATION)
    if test is None:
        count = math.ceil(settings.test_fraction * len(train))
        train, test = _take(train, count, settings.seed, TEST, labels)
    if validation is None:
        count = math.ceil(settings.validation_fraction * len(train))
        train, validation = _take(train, count, settings.seed, VALIDATION, labels)
    return {TRAIN: train, VALIDATION: validation, TEST: test}


def subsample(
    train: pd.DataFrame, rows: int, seed: int, labels: Sequence[str] = ()
) -> pd.DataFrame:
    """Draw at most `rows` rows with the same shares of labels; 0 keeps all."""
    left_out = len(train) - rows
    if rows == 0 or left_out <= 0:
        return train
    if left_out < train["label"].nunique():
        return train.sample(rows, random_state=seed).sort_index()
    _, kept = _take(train, rows, seed, "subsampled train", labels)
    return kept


def held_out(splits: Splits) -> pd.DataFrame:
    """Join the rows of validation and test."""
    return pd.concat([splits[VALIDATION], splits[TEST]], ignore_index=True)


def require_similar_labels(splits: Splits, settings: MergeSettings, audit: Audit) -> None:
    """Refuse validation or test rows with another distribution of labels than train has.

    Only real rows count. The shift is the total variation distance: half the sum of the
    differences of the labels' shares, 0 to 1. A difference of one row of the split, which no
    way of splitting avoids, does not count.

    Raises:
        InputError: If the shift is greater than `max_label_shift`.
    """
    train, limit = _shares(splits[TRAIN]), settings.max_label_shift
    for name in (VALIDATION, TEST):
        other = _shares(splits[name])
        difference = other.sub(train, fill_value=0)
        shift = float((difference.abs() - 1 / len(splits[name])).clip(lower=0).sum() / 2)
        labels = difference.rename(index=dict(enumerate(audit.labels)))
        said = ", ".join(f"{label} {each:+.1%}" for label, each in labels.items())
        failure = InputError(
            f"labels of {name} against train",
            f"differ by {shift:.3f}, more than max_label_shift={limit:g}: {said}",
            "Split the data set again (merge splits a single table) or raise max_label_shift",
        )
        audit.require_at_most(f"label_shift_{name}", shift, limit, failure, found=pd.DataFrame())


def mix(train: pd.DataFrame, settings: MergeSettings, audit: Audit) -> pd.DataFrame:
    """Draw the real and the synthetic rows that the settings ask for.

    Args:
        train: Columns `text`, `label` (id), `source`.
        settings: `max_train_rows`, and the limits on synthetic rows.
        audit: Records the rows that are not drawn.
    """
    real = train[train["source"] == REAL]
    chosen = subsample(real, settings.max_train_rows, settings.seed, audit.labels)
    rows = audit.drop(train, _not_in(train, real, chosen), "over_max_train_rows")
    extra = rows[rows["source"] == SYNTHETIC]
    wanted = quotas(Counter(extra["label"].tolist()), Counter(chosen["label"].tolist()), settings)
    drawn = [
        extra[extra["label"] == label].sample(count, random_state=settings.seed)
        for label, count in wanted.items()
    ]
    over = _not_in(rows, extra, pd.concat(drawn or [extra]))
    return audit.drop(rows, over, "over_limit").reset_index(drop=True)


def quotas(
    synthetic: Mapping[int, int], real: Mapping[int, int], settings: MergeSettings
) -> dict[int, int]:
    """Compute the number of synthetic rows to use of each label.

    Args:
        synthetic: Available rows by label id.
        real: Real train rows, by label id.
        settings: The limits; the lowest one counts.
    """
    wanted = dict(sorted(synthetic.items()))
    if settings.synthetic_per_label:
        wanted = {label: min(rows, settings.synthetic_per_label) for label, rows in wanted.items()}
    if settings.top_up:
        most = max(real.values(), default=0)
        wanted = {label: min(rows, most - real.get(label, 0)) for label, rows in wanted.items()}
    share = settings.max_synthetic_share
    if share == 1:
        return wanted
    return _even(wanted, math.floor(share / (1 - share) * sum(real.values()) + 1e-9))


def _split_pooled(
    real: Splits, synthetic: pd.DataFrame, settings: MergeSettings, labels: Sequence[str]
) -> Splits:
    """Draw validation from real and synthetic rows, as projects do that augment first.

    A test split of the source stays apart; without one, the validation rows are the test rows too.
    """
    parts = [rows for name, rows in real.items() if name != TEST]
    pooled = pd.concat([*parts, synthetic], ignore_index=True)
    count = math.ceil(settings.validation_fraction * len(pooled))
    train, validation = _take(pooled, count, settings.seed, VALIDATION, labels)
    return {TRAIN: train, VALIDATION: validation, TEST: real.get(TEST, validation)}


def _take(
    rows: pd.DataFrame, count: int, seed: int, name: str, labels: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw rows so that every label keeps its share; returns the rest and the drawn ones."""
    counts = rows["label"].replace(dict(enumerate(labels))).value_counts()
    fewest = [f"{label} {number}" for label, number in counts.sort_values().head(_RAREST).items()]
    rule = (
        f"cannot give {count} of its {len(rows)} rows to the {name} split with every label, of "
        f"which the rarest are: {', '.join(fewest)}"
    )
    fix = "Add rows of the rare labels or ask for another share"
    try:
        rest, taken = train_test_split(
            rows, test_size=count, random_state=seed, stratify=rows["label"]
        )
    except ValueError as error:
        raise InputError("data set", rule, fix) from error
    if set(taken["label"]) < set(rows["label"]):
        raise InputError("data set", rule, fix)
    return rest.sort_index(), taken.sort_index()


def _shares(rows: pd.DataFrame) -> "pd.Series[float]":
    return rows["label"][rows["source"] == REAL].value_counts(normalize=True).sort_index()


def _even(wanted: Mapping[int, int], total: int) -> dict[int, int]:
    """Share `total` rows out: the labels that want most are cut first."""
    given = {}
    by_need = sorted(wanted, key=lambda label: (wanted[label], -label))
    for place, label in enumerate(by_need):
        given[label] = min(wanted[label], total // (len(by_need) - place))
        total -= given[label]
    return given


def _not_in(rows: pd.DataFrame, part: pd.DataFrame, chosen: pd.DataFrame) -> "pd.Series[bool]":
    left_out = part.index.difference(chosen.index)
    return pd.Series(rows.index.isin(left_out), index=rows.index)
