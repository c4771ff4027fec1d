import math

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.artifacts.dataset import TEST, TRAIN, VALIDATION
from components.errors import InputError
from components.merge.audit import Audit
from components.merge.reading.split_names import WHOLE
from components.merge.settings import MergeSettings
from components.merge.splits import mix, quotas, split_rows, subsample

COUNTS = st.lists(st.integers(12, 60), min_size=2, max_size=6)
FRACTIONS = st.floats(0.15, 0.5)
SEEDS = st.integers(0, 2**31 - 1)
LABELS = ["a", "b", "c"]
NAMES = [*LABELS, "d", "e", "f"]
PER_LABEL = st.lists(st.integers(0, 30), min_size=3, max_size=3)


def table(counts):
    """A shuffled table with that many rows of each label, every text another."""
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    frame = pd.DataFrame({"text": [f"text {n}" for n in range(len(labels))], "label": labels})
    return frame.sample(frac=1, random_state=0, ignore_index=True)


def shares_hold(part, whole):
    """Each label's rows are within one row of its share of the whole."""
    ideal = whole["label"].value_counts() * len(part) / len(whole)
    return (part["label"].value_counts().reindex(ideal.index, fill_value=0) - ideal).abs().max() < 1


@settings(max_examples=50)
@given(COUNTS, FRACTIONS, FRACTIONS, SEEDS)
def test_splits_share_out_the_rows_fairly(counts, test_fraction, validation_fraction, seed):
    rows = table(counts)
    choice = MergeSettings(
        test_fraction=test_fraction, validation_fraction=validation_fraction, seed=seed
    )
    splits = split_rows({WHOLE: rows}, choice, NAMES)

    texts = [text for part in splits.values() for text in part["text"]]
    assert sorted(texts) == sorted(rows["text"])
    assert len(set(texts)) == len(rows)
    assert all(set(part["label"]) == set(rows["label"]) for part in splits.values())
    rest = pd.concat([splits[TRAIN], splits[VALIDATION]])
    assert len(splits[TEST]) == math.ceil(test_fraction * len(rows))
    assert len(splits[VALIDATION]) == math.ceil(validation_fraction * len(rest))
    assert shares_hold(splits[TEST], rows)
    assert shares_hold(splits[VALIDATION], rest)


@settings(max_examples=50)
@given(COUNTS, SEEDS)
def test_one_seed_always_gives_the_same_splits(counts, seed):
    choice = MergeSettings(test_fraction=0.2, validation_fraction=0.2, seed=seed)
    first = split_rows({WHOLE: table(counts)}, choice, NAMES)
    second = split_rows({TRAIN: table(counts)}, choice, NAMES)

    for name, part in first.items():
        pd.testing.assert_frame_equal(part, second[name])


def test_another_seed_gives_other_splits():
    first, second = (
        split_rows({WHOLE: table([50, 50])}, MergeSettings(seed=seed), NAMES)[TEST]
        for seed in (0, 1)
    )

    assert list(first["text"]) != list(second["text"])


@pytest.mark.parametrize("given_splits", [(TEST,), (VALIDATION,), (TEST, VALIDATION)])
def test_splits_of_the_source_are_kept(given_splits):
    tables = {TRAIN: table([40, 40])} | {name: table([5, 5]) for name in given_splits}
    splits = split_rows(tables, MergeSettings(), NAMES)

    for name in given_splits:
        pd.testing.assert_frame_equal(splits[name], tables[name])
    made = {TEST, VALIDATION} - set(given_splits)
    assert len(splits[TRAIN]) == 80 - 8 * len(made)
    assert all(len(splits[name]) == 8 for name in made)


@pytest.mark.parametrize("counts", [[100, 1], [100, 2], [100, 100, 3], [1, 5]])
def test_a_label_with_too_few_rows_for_every_split_is_refused(counts):
    rarest = f"{NAMES[counts.index(min(counts))]} {min(counts)}"
    rule = rf"data set: cannot give .* rows to the .* split with every .* rarest are: {rarest}"
    with pytest.raises(InputError, match=rule):
        split_rows({WHOLE: table(counts)}, MergeSettings(), NAMES)


def test_a_data_set_without_train_rows_is_refused():
    with pytest.raises(InputError, match="has no train split"):
        split_rows({TEST: table([5, 5])}, MergeSettings(), NAMES)
    with pytest.raises(InputError, match="cannot give 0 of its 0 rows"):
        split_rows({TRAIN: table([])}, MergeSettings(), NAMES)


@settings(max_examples=50)
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


def mixed_table(real, synthetic):
    rows = [("real", label) for label, n in enumerate(real) for _ in range(n)]
    rows += [("synthetic", label) for label, n in enumerate(synthetic) for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["source", "label"])
    return frame.assign(text=[f"text {n}" for n in range(len(frame))])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    PER_LABEL,
    PER_LABEL,
    st.integers(0, 20),
    st.floats(0, 1),
    st.booleans(),
    st.integers(0, 99),
)
def test_never_more_than_asked_and_real_rows_stay(
    tmp_path, real, synthetic, per_label, share, top_up, seed
):
    choice = MergeSettings(
        synthetic_per_label=per_label, max_synthetic_share=share, top_up=top_up, seed=seed
    )
    train, audit = mixed_table(real, synthetic), Audit(LABELS, tmp_path / "problems.csv")
    mixed = mix(train, choice, audit)
    extra = mixed[mixed["source"] == "synthetic"]
    counts = extra["label"].value_counts().reindex(range(3), fill_value=0)

    assert set(mixed["text"]) <= set(train["text"])
    assert len(mixed) + audit.removed["synthetic_over_limit"] == len(train)
    assert (mixed["source"] == "real").sum() == sum(real)
    assert share == 1 or len(extra) <= share * len(mixed) + 1e-6
    assert not per_label or counts.max() <= per_label
    if top_up:
        assert all(n == 0 or n + r <= max(real) for n, r in zip(counts, real, strict=True))
    again = mix(train, choice, Audit(LABELS, tmp_path / "problems.csv"))
    pd.testing.assert_frame_equal(mixed, again)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"max_synthetic_share": 1.0}, [30, 6, 20]),
        ({"max_synthetic_share": 0.5}, [12, 6, 12]),
        ({"max_synthetic_share": 0.0}, [0, 0, 0]),
        ({"synthetic_per_label": 10}, [10, 6, 10]),
        ({"top_up": True, "max_synthetic_share": 1.0}, [0, 6, 16]),
    ],
)
def test_rows_are_shared_out_evenly(choice, expected):
    given_rows, real = {0: 30, 1: 6, 2: 20}, {0: 18, 1: 10, 2: 2}

    wanted = quotas(given_rows, real, MergeSettings(**choice))
    assert [wanted[label] for label in range(3)] == expected


def test_another_seed_draws_other_rows(tmp_path):
    drawn = [
        set(
            mix(
                mixed_table([50, 50, 50], [50, 50, 50]),
                MergeSettings(synthetic_per_label=10, seed=seed),
                Audit(LABELS, tmp_path / "problems.csv"),
            )["text"]
        )
        for seed in (0, 1)
    ]
    assert drawn[0] != drawn[1]
