"""Counts of rows, added up from any parts."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from components.predict.columns import EMPTY, Scores
from components.predict.tables.table import Window
from components.predict.tally import BINS, Tally, tally_of

LABELS = ("joy", "anger", "fear")


def tally(rows, most=3, *, start=0, show_texts=True):
    """Count rows: each a text, and its probabilities or None."""
    reasons = [EMPTY if shares is None else None for _, shares in rows]
    shares = [[np.nan] * 3 if shares is None else shares for _, shares in rows]
    scores = Scores(reasons, np.array(shares, dtype=np.float32).reshape(-1, 3))
    window = Window(start, [text for text, _ in rows], None)
    return tally_of("a.csv", window, scores, LABELS, most, show_texts)


def shares_of(numbers):
    total = sum(numbers)
    return [each / total for each in numbers]


SHARES = st.lists(st.integers(1, 9), min_size=3, max_size=3).map(shares_of)
ROWS = st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | SHARES), max_size=12)


@given(rows=ROWS, cut=st.integers(0, 12))
def test_parts_add_up_to_the_whole(rows, cut):
    whole, added = tally(rows), Tally()
    added.add(tally(rows[:cut]), 3)
    added.add(tally(rows[cut:], start=len(rows[:cut])), 3)
    assert added.rows == whole.rows == len(rows)
    assert (added.labels, added.reasons) == (whole.labels, whole.reasons)
    assert added.bins == whole.bins
    assert sum(added.bins) == added.labelled
    assert added.sure == pytest.approx(whole.sure)
    assert added.mean_probability == pytest.approx(whole.mean_probability)
    assert [row.text for row in added.least_sure] == [row.text for row in whole.least_sure]
    assert len({row.text for row in added.least_sure}) == len(added.least_sure) <= 3


def test_the_least_sure_rows_are_named_by_file_and_row():
    rows = [("sure", [1, 0, 0]), ("so so", [0.4, 0.3, 0.3]), ("", None), ("x" * 300, [0, 0.5, 0.5])]
    counted = tally(rows, most=2, start=100)
    assert [(row.row, row.label, row.probability) for row in counted.least_sure] == [
        (102, "joy", 0.4),
        (104, "anger", 0.5),
    ]
    assert counted.least_sure[1].text == "x" * 200
    hidden = tally(rows, most=9, show_texts=False)
    assert {row.text for row in hidden.least_sure} == {""}
    assert len(hidden.least_sure) == 3
    assert tally(rows, most=0).least_sure == []


def test_it_comes_back_from_json():
    counted = tally([("a", [0.2, 0.3, 0.5]), ("", None)])
    assert TypeAdapter(Tally).validate_json(json.dumps(asdict(counted))) == counted


def test_nothing_counts_nothing():
    assert tally([]).mean_probability == 0
    assert (Tally().share("joy"), Tally().mean("joy"), Tally().bins) == (0, 0, [0] * BINS)
