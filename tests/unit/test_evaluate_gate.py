import math

import numpy as np
import pytest

from components.checks import InputError
from components.evaluate.gate import judge
from components.evaluate.metrics import score
from components.evaluate.settings import EvaluateSettings

LABELS = ("red", "green")
TRUTH = np.array([0, 0, 0, 1])
MAJORITY = score(TRUTH, np.array([0, 0, 0, 0]), LABELS)
GOOD = score(TRUTH, TRUTH, LABELS)
FAIR = score(TRUTH, np.array([0, 0, 1, 1]), LABELS)


def outcomes(verdict):
    return {rule.name: rule.passed for rule in verdict.rules}


def test_a_good_model_passes_every_rule():
    verdict = judge(GOOD, MAJORITY, EvaluateSettings())

    assert verdict.passed
    assert set(outcomes(verdict).values()) == {True}
    assert verdict.summary.startswith("passed. Accuracy 1.0000 reaches")


def test_low_accuracy_alone_fails_the_gate():
    verdict = judge(FAIR, MAJORITY, EvaluateSettings(min_accuracy=0.76, min_macro_f1=0.7))

    assert not verdict.passed
    assert outcomes(verdict) == {
        "accuracy": False,
        "macro_f1": True,
        "macro_f1_above_majority": True,
    }
    assert "0.7500 is below the required 0.7600" in verdict.rules[0].sentence


def test_low_macro_f1_alone_fails_the_gate():
    verdict = judge(FAIR, MAJORITY, EvaluateSettings(min_accuracy=0.7, min_macro_f1=0.8))

    assert not verdict.passed
    assert [name for name, passed in outcomes(verdict).items() if not passed] == ["macro_f1"]


def test_no_better_than_the_majority_class_fails_the_gate():
    verdict = judge(MAJORITY, MAJORITY, EvaluateSettings(min_accuracy=0, min_macro_f1=0))

    assert not verdict.passed
    assert [name for name, passed in outcomes(verdict).items() if not passed] == [
        "macro_f1_above_majority"
    ]


def test_a_score_equal_to_its_threshold_passes():
    assert judge(FAIR, MAJORITY, EvaluateSettings(min_accuracy=0.75, min_macro_f1=0)).passed


@pytest.mark.parametrize("name", ["min_accuracy", "min_macro_f1"])
@pytest.mark.parametrize("value", [-0.01, 1.01, 85, math.nan])
def test_a_threshold_outside_zero_to_one_is_refused(name, value):
    with pytest.raises(InputError, match=name):
        EvaluateSettings(**{name: value})


def test_a_negative_seed_is_refused():
    with pytest.raises(InputError, match="seed"):
        EvaluateSettings(seed=-1)
