import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from components.merge.audit import Audit
from components.merge.mixing import mix, quotas
from components.merge.settings import MergeSettings

LABELS = ["a", "b", "c"]
COUNTS = st.lists(st.integers(0, 30), min_size=3, max_size=3)


def table(real, synthetic):
    rows = [("real", label) for label, n in enumerate(real) for _ in range(n)]
    rows += [("synthetic", label) for label, n in enumerate(synthetic) for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["source", "label"])
    return frame.assign(text=[f"text {n}" for n in range(len(frame))])


@profile(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(COUNTS, COUNTS, st.integers(0, 20), st.floats(0, 1), st.booleans(), st.integers(0, 99))
def test_never_more_than_asked_and_real_rows_stay(
    tmp_path, real, synthetic, per_label, share, top_up, seed
):
    choice = MergeSettings(
        synthetic_per_label=per_label, max_synthetic_share=share, top_up=top_up, seed=seed
    )
    train, audit = table(real, synthetic), Audit(LABELS, tmp_path / "problems.csv")
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
                table([50, 50, 50], [50, 50, 50]),
                MergeSettings(synthetic_per_label=10, seed=seed),
                Audit(LABELS, tmp_path / "problems.csv"),
            )["text"]
        )
        for seed in (0, 1)
    ]
    assert drawn[0] != drawn[1]
