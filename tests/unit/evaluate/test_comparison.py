import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from components.artifacts.dataset import TEST
from components.artifacts.evaluation.comparison import (
    BETTER,
    CHAMPION,
    EQUAL,
    MAJORITY,
    OUT_OF_DOMAIN,
    REAL_ONLY,
    TFIDF,
    WORSE,
)
from components.evaluate.measure.comparison import Rows, compare
from components.evaluate.measure.intervals import intervals, recall_and_f1

LABELS = ("red", "green", "blue")
ROWS = 600


def answers(truth, accuracy, seed):
    """Predictions of about an accuracy, its mistakes drawn anew for each seed."""
    random = np.random.default_rng(seed)
    wrong = (truth + random.integers(1, 3, len(truth))) % 3
    return np.where(random.random(len(truth)) < accuracy, truth, wrong)


TRUTH = np.random.default_rng(7).integers(0, 3, ROWS)
GOOD, ALSO_GOOD, POOR = answers(TRUTH, 0.9, 1), answers(TRUTH, 0.9, 2), answers(TRUTH, 0.8, 3)


def compared(model, other, name=CHAMPION, split=TEST, seed=0):
    return compare(Rows(split, TRUTH, model, 3), other, name, resamples=1000, seed=seed)


def test_intervals_hold_the_scores_and_narrow_with_more_rows():
    few = intervals(TRUTH[:100], GOOD[:100], LABELS, 1000, seed=0)
    many = intervals(TRUTH, GOOD, LABELS, 1000, seed=0)

    accuracy = (TRUTH == GOOD).mean()
    assert many.accuracy.low < accuracy < many.accuracy.high
    assert many.accuracy.high - many.accuracy.low < few.accuracy.high - few.accuracy.low
    # The normal approximation of a share's interval.
    width = 2 * 1.96 * np.sqrt(accuracy * (1 - accuracy) / ROWS)
    assert many.accuracy.high - many.accuracy.low == pytest.approx(width, rel=0.1)


def test_every_label_has_intervals_around_its_scores():
    found = intervals(TRUTH, GOOD, LABELS, 1000, seed=0)
    _, recall, f1, _ = precision_recall_fscore_support(TRUTH, GOOD)

    assert list(found.per_label) == list(LABELS)
    for each, label_recall, label_f1 in zip(found.per_label.values(), recall, f1, strict=True):
        assert each.recall.low < label_recall < each.recall.high
        assert each.f1.low < label_f1 < each.f1.high
    assert found.macro_f1.low < f1.mean() < found.macro_f1.high


def test_intervals_are_the_same_each_time():
    assert intervals(TRUTH, GOOD, LABELS, 200, 5) == intervals(TRUTH, GOOD, LABELS, 200, 5)


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.integers(0, 4)] * 4), min_size=1, max_size=40))
def test_figures_of_many_samples_are_those_of_scikit_learn_one_by_one(pairs):
    truth, predicted = np.array(pairs).T.reshape(2, 2, -1)

    recall, f1 = recall_and_f1(truth, predicted, 5)

    for sample in range(2):
        _, expected_recall, expected_f1, _ = precision_recall_fscore_support(
            truth[sample], predicted[sample], labels=range(5), zero_division=0
        )
        assert recall[:, sample] == pytest.approx(expected_recall)
        assert f1[:, sample] == pytest.approx(expected_f1)


def test_a_better_model_is_found_better():
    result = compared(GOOD, POOR)

    assert result.outcome == BETTER
    assert result.macro_f1.interval.low > 0
    assert result.macro_f1.p < 0.05
    assert result.accuracy.p < 0.05
    assert result.sentence.startswith("The model is better than the champion on the test split: ")


def test_comparing_the_other_way_round_turns_the_signs():
    forth, back = compared(GOOD, POOR), compared(POOR, GOOD)

    assert back.outcome == WORSE
    assert back.macro_f1.value == pytest.approx(-forth.macro_f1.value)
    assert back.macro_f1.interval.low == pytest.approx(-forth.macro_f1.interval.high)
    assert (back.accuracy.only_model, back.accuracy.only_other) == (
        forth.accuracy.only_other,
        forth.accuracy.only_model,
    )
    assert back.accuracy.p == forth.accuracy.p
    assert forth.p_worse == 1
    assert back.p_worse == min(back.macro_f1.p, back.accuracy.p)


def test_models_of_like_quality_are_not_told_apart():
    result = compared(GOOD, ALSO_GOOD)

    assert result.outcome == EQUAL
    assert result.macro_f1.interval.low < 0 < result.macro_f1.interval.high
    assert result.macro_f1.p > 0.05


def test_the_same_answers_differ_in_nothing():
    result = compared(GOOD, GOOD)

    assert result.outcome == EQUAL
    assert (result.macro_f1.value, result.accuracy.value) == (0, 0)
    assert (result.macro_f1.p, result.accuracy.p) == (1, 1)


def test_pairing_finds_what_two_intervals_would_miss():
    better = GOOD.copy()
    mended = np.flatnonzero(better != TRUTH)[:12]
    better[mended] = TRUTH[mended]

    apart = [intervals(TRUTH, each, LABELS, 1000, 0).macro_f1 for each in (better, GOOD)]
    assert apart[0].low < apart[1].high
    assert compared(better, GOOD).outcome == BETTER


def test_mcnemar_is_that_of_the_textbook():
    truth = np.zeros(100, int)
    model, other = truth.copy(), truth.copy()
    model[:1], other[1:10] = 1, 1

    result = compare(Rows(TEST, truth, model, 2), other, CHAMPION, 100, 0).accuracy

    assert (result.only_model, result.only_other) == (9, 1)
    # Twice the chance of at most 1 head in 10 throws.
    assert result.p == pytest.approx(2 * 11 / 1024)
    assert result.value == pytest.approx(0.08)


@pytest.mark.parametrize(
    ("model", "other", "claim"),
    [
        (GOOD, POOR, "Synthetic rows helped on out-of-domain text: macro-F1 +"),
        (POOR, GOOD, "Synthetic rows hurt on out-of-domain text: macro-F1 -"),
        (GOOD, GOOD, "Synthetic rows made no measurable difference on out-of-domain text: "),
    ],
)
def test_the_ablation_answers_in_one_sentence(model, other, claim):
    result = compared(model, other, REAL_ONLY, OUT_OF_DOMAIN)

    assert result.sentence.startswith(claim)
    assert result.sentence.count(". ") == 0


@pytest.mark.parametrize(
    ("name", "words"), [(MAJORITY, "the most frequent label"), (TFIDF, "TF-IDF")]
)
def test_a_baseline_is_named(name, words):
    assert words in compared(GOOD, POOR, name).sentence


def test_a_comparison_is_the_same_each_time():
    assert compared(GOOD, POOR, seed=3) == compared(GOOD, POOR, seed=3)
