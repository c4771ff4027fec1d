"""The split of the rows, stratified and seeded, before anything else is done with them."""

import math

import pandas as pd
from sklearn.model_selection import train_test_split

from components.artifacts.dataset import TEST, TRAIN, VALIDATION
from components.errors import InputError
from components.merge.settings import MergeSettings
from components.merge.sources import WHOLE


def split_rows(tables: dict[str, pd.DataFrame], settings: MergeSettings) -> dict[str, pd.DataFrame]:
    """Complete a data set to train, validation and test rows.

    Splits that the source has are kept as they are. A missing test split is taken from the
    train rows first, then a missing validation split from what remains.

    Args:
        tables: Checked rows by split name, or all of them under `WHOLE`.
        settings: Fractions and seed.

    Raises:
        InputError: If a label has too few rows for each split.
    """
    train = tables.get(TRAIN, tables.get(WHOLE))
    if train is None:
        raise InputError("data set", "has no train split", "Add one")
    test, validation = tables.get(TEST), tables.get(VALIDATION)
    if test is None:
        count = math.ceil(settings.test_fraction * len(train))
        train, test = _take(train, count, settings.seed, TEST)
    if validation is None:
        count = math.ceil(settings.validation_fraction * len(train))
        train, validation = _take(train, count, settings.seed, VALIDATION)
    return {TRAIN: train, VALIDATION: validation, TEST: test}


def split_pooled(
    real: dict[str, pd.DataFrame], synthetic: pd.DataFrame, settings: MergeSettings
) -> dict[str, pd.DataFrame]:
    """Pool real and synthetic rows and draw validation from the pool.

    This is the recipe of projects that augment first and split later. A test split of the source
    stays apart; without one, the validation rows are the test rows too.
    """
    parts = [rows for name, rows in real.items() if name != TEST]
    pooled = pd.concat([*parts, synthetic], ignore_index=True)
    count = math.ceil(settings.validation_fraction * len(pooled))
    train, validation = _take(pooled, count, settings.seed, VALIDATION)
    return {TRAIN: train, VALIDATION: validation, TEST: real.get(TEST, validation)}


def subsample(train: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    """Draw at most `rows` rows with the same shares of labels; 0 keeps all."""
    left_out = len(train) - rows
    if rows == 0 or left_out <= 0:
        return train
    if left_out < train["label"].nunique():
        return train.sample(rows, random_state=seed).sort_index()
    _, kept = _take(train, rows, seed, "subsampled train")
    return kept


def _take(
    rows: pd.DataFrame, count: int, seed: int, name: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rule = f"cannot give {count} of its {len(rows)} rows to the {name} split with every label"
    fix = "Add rows of the rare labels or ask for another share"
    try:
        rest, taken = train_test_split(
            rows, test_size=count, random_state=seed, stratify=rows["label"]
        )
    except ValueError as error:
        raise InputError("data set", f"{rule} ({error})", fix) from error
    if set(taken["label"]) < set(rows["label"]):
        raise InputError("data set", rule, fix)
    return rest.sort_index(), taken.sort_index()
