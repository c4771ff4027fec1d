import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import InputError
from components.merge.settings import MergeSettings
from components.merge.sources import TEST, TRAIN, VALIDATION, WHOLE
from components.merge.split import split_rows, subsample

COUNTS = st.lists(st.integers(12, 60), min_size=2, max_size=6)
FRACTIONS = st.floats(0.15, 0.5)
SEEDS = st.integers(0, 2**31 - 1)


def table(counts):
    """A shuffled table with that many rows of each label, every text another."""
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    frame = pd.DataFrame({"text": [f"text {n}" for n in range(len(labels))], "label": labels})
    return frame.sample(frac=1, random_state=0, ignore_index=True)


def shares_hold(part, whole):
    """Each label's rows are within one row of its share of the whole."""
    ideal = whole["label"].value_counts() * len(part) / len(whole)
    return (part["label"].value_counts().reindex(ideal.index, fill_value=0) - ideal).abs().max() < 1


@settings(deadline=None, max_examples=50)
@given(COUNTS, FRACTIONS, FRACTIONS, SEEDS)
def test_splits_share_out_the_rows_fairly(counts, test_fraction, validation_fraction, seed):
    rows = table(counts)
    choice = MergeSettings(
        test_fraction=test_fraction, validation_fraction=validation_fraction, seed=seed
    )
    splits = split_rows({WHOLE: rows}, choice)

    texts = [text for part in splits.values() for text in part["text"]]
    assert sorted(texts) == sorted(rows["text"])
    assert len(set(texts)) == len(rows)
    assert all(set(part["label"]) == set(rows["label"]) for part in splits.values())
    rest = pd.concat([splits[TRAIN], splits[VALIDATION]])
    assert len(splits[TEST]) == math.ceil(test_fraction * len(rows))
    assert len(splits[VALIDATION]) == math.ceil(validation_fraction * len(rest))
    assert shares_hold(splits[TEST], rows)
    assert shares_hold(splits[VALIDATION], rest)


@settings(deadline=None, max_examples=50)
@given(COUNTS, SEEDS)
def test_one_seed_always_gives_the_same_splits(counts, seed):
    choice = MergeSettings(test_fraction=0.2, validation_fraction=0.2, seed=seed)
    first = split_rows({WHOLE: table(counts)}, choice)
    second = split_rows({TRAIN: table(counts)}, choice)

    for name, part in first.items():
        pd.testing.assert_frame_equal(part, second[name])


def test_another_seed_gives_other_splits():
    first, second = (
        split_rows({WHOLE: table([50, 50])}, MergeSettings(seed=seed))[TEST] for seed in (0, 1)
    )

    assert list(first["text"]) != list(second["text"])


@pytest.mark.parametrize("given_splits", [(TEST,), (VALIDATION,), (TEST, VALIDATION)])
def test_splits_of_the_source_are_kept(given_splits):
    tables = {TRAIN: table([40, 40])} | {name: table([5, 5]) for name in given_splits}
    splits = split_rows(tables, MergeSettings())

    for name in given_splits:
        pd.testing.assert_frame_equal(splits[name], tables[name])
    made = {TEST, VALIDATION} - set(given_splits)
    assert len(splits[TRAIN]) == 80 - 8 * len(made)
    assert all(len(splits[name]) == 8 for name in made)


@pytest.mark.parametrize("counts", [[100, 1], [100, 2], [100, 100, 3], [1, 1]])
def test_a_label_with_too_few_rows_for_every_split_is_refused(counts):
    with pytest.raises(
        InputError, match=r"data set: cannot give .* rows to the .* split with every"
    ):
        split_rows({WHOLE: table(counts)}, MergeSettings())


def test_a_data_set_without_train_rows_is_refused():
    with pytest.raises(InputError, match="has no train split"):
        split_rows({TEST: table([5, 5])}, MergeSettings())
    with pytest.raises(InputError, match="cannot give 0 of its 0 rows"):
        split_rows({TRAIN: table([])}, MergeSettings())


@settings(deadline=None, max_examples=50)
@given(COUNTS, st.floats(0.2, 0.99), SEEDS)
def test_a_subsample_keeps_the_shares_of_the_labels(counts, fraction, seed):
    rows = table(counts)
    wanted = min(math.ceil(fraction * len(rows)), len(rows) - len(counts))
    kept = subsample(rows, wanted, seed)

    assert len(kept) == wanted
    assert shares_hold(kept, rows)
    assert set(kept["text"]) < set(rows["text"])
    pd.testing.assert_frame_equal(kept, subsample(rows, wanted, seed))


@pytest.mark.parametrize("rows", [0, 10, 11])
def test_nothing_is_drawn_where_there_is_nothing_to_leave_out(rows):
    train = table([5, 5])

    assert subsample(train, rows, seed=0) is train


def test_a_subsample_without_one_of_the_labels_is_refused():
    with pytest.raises(InputError, match="cannot give 5 of its 102 rows to the subsampled train"):
        subsample(table([100, 2]), 5, seed=0)
