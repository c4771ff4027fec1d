"""How much a synthetic row counts next to a real one."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.merge.settings import MergeSettings
from components.merge.weights import weigh

REAL = [
    *((f"so dry and bright {number}", 0) for number in range(6)),
    *((f"wet and dark {number}", 1) for number in range(6)),
]


def frame(synthetic, told=None):
    rows = [(text, label, "real", None) for text, label in REAL]
    told = told or [None] * len(synthetic)
    rows += [(*row, "synthetic", each) for row, each in zip(synthetic, told, strict=True)]
    return pd.DataFrame(rows, columns=["text", "label", "source", "label_probabilities"])


def weights(train, probability=1.0, **settings):
    chosen = MergeSettings(sample_weights=True, **settings)
    found = weigh(train, pd.Series(probability, index=train.index), chosen)
    assert (found[train["source"] == "real"] == 1).all()
    return found[train["source"] == "synthetic"].tolist()


def test_a_constant_weight_is_that_of_every_synthetic_row():
    assert weights(frame([("bright", 0), ("dark", 1)]), synthetic_weight=2.5) == [2.5, 2.5]


def test_what_the_judge_was_sure_of_counts_more():
    train = frame([("bright", 0), ("dark", 1), ("dull", 1)], [[0.9, 0.1], [0.7, 0.3], None])
    sure, unsure, unjudged = weights(train, weighting="confidence", synthetic_weight=2)
    assert (sure + unsure + unjudged) / 3 == pytest.approx(2)
    assert unsure / sure == pytest.approx(0.3 / 0.9)
    assert unjudged == pytest.approx((sure + unsure) / 2)


def test_what_real_rows_confirm_and_synthetic_ones_do_not_repeat_counts_more():
    repeated = [("the sun is out again", 0)] * 5 + [("clouds all day", 1)] * 5
    wrong, confirmed = ("wet and dark", 0), ("so dry and bright", 0)
    found = weights(frame([*repeated, wrong, confirmed]), weighting="importance")
    assert sum(found) / len(found) == pytest.approx(1)
    assert found[-1] > 2 * found[-2]
    assert found[-1] > found[0]


def test_doubtful_rows_may_weigh_less_in_addition():
    train = frame([("bright", 0), ("dark", 1)])
    settings = {"agreement_action": "weight", "min_agreement": 0.4, "synthetic_weight": 2}
    assert weights(train, 0.1, **settings) == pytest.approx([0.5, 0.5])
    assert weights(train, 0.5, **settings) == [2, 2]


@given(
    st.lists(st.tuples(st.sampled_from(["dry", "wet", "dark"]), st.integers(0, 1)), max_size=9),
    st.sampled_from(["constant", "confidence", "importance"]),
    st.floats(0.01, 100),
)
def test_weights_are_positive_and_have_the_wanted_mean(synthetic, weighting, wanted):
    found = weights(frame(synthetic), weighting=weighting, synthetic_weight=wanted)
    assert all(each > 0 for each in found)
    if found:
        assert sum(found) / len(found) == pytest.approx(wanted)
