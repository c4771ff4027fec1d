from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts.dataset import TEST
from components.artifacts.evaluation.comparison import CHAMPION
from components.errors import InputError
from components.evaluate.gate import Evidence, Gate, judge, load_gate
from components.evaluate.measure.comparison import Rows, compare
from components.evaluate.measure.scores import score

LABELS = ("red", "green")
TRUTH = np.array([0, 0, 0, 1] * 50)


def certain(predicted):
    return np.eye(2)[predicted]


MAJORITY = score(TRUTH, certain(np.zeros(200, int)), LABELS)
PERFECT = score(TRUTH, certain(TRUTH), LABELS)
FAIR_ANSWERS = np.array([0, 0, 1, 1] * 50)
FAIR = score(TRUTH, certain(FAIR_ANSWERS), LABELS)
EVIDENCE = Evidence(test=FAIR, test_fp32=FAIR, majority=MAJORITY)


def against(model, champion):
    comparison = compare(Rows(TEST, TRUTH, model, 2), champion, CHAMPION, 500, 0)
    return replace(EVIDENCE, champion="run-7", against_champion=comparison)


def only_rule(gate, evidence):
    verdict = judge(gate, evidence)
    (rule,) = verdict.rules
    assert rule.passed == verdict.passed
    return rule


def test_a_gate_without_rules_lets_every_model_pass():
    verdict = judge(Gate(), replace(EVIDENCE, test=MAJORITY))

    assert verdict.passed
    assert verdict.rules == ()
    assert verdict.summary == "passed. The gate requires nothing."


@pytest.mark.parametrize(
    ("name", "value"),
    [("min_accuracy", 0.75), ("min_macro_f1", FAIR.macro_f1), ("min_label_recall", 2 / 3)],
)
def test_a_score_has_to_reach_its_threshold(name, value):
    rule = only_rule(Gate(**{name: value}), EVIDENCE)
    assert (rule.name, rule.passed, rule.threshold) == (name, True, value)
    assert rule.value == pytest.approx(value)
    assert "reaches the required" in rule.sentence

    rule = only_rule(Gate(**{name: value + 0.001}), EVIDENCE)
    assert (rule.name, rule.passed) == (name, False)
    assert "is below the required" in rule.sentence


def test_the_label_of_the_lowest_recall_is_named():
    rule = only_rule(Gate(min_label_recall=0.5), replace(EVIDENCE, test=MAJORITY))

    assert rule.value == 0
    assert "(green)" in rule.sentence


def test_the_recall_of_a_label_without_rows_is_not_judged_and_that_is_said():
    labels = (*LABELS, "blue", "grey")
    test = score(TRUTH, np.eye(4)[FAIR_ANSWERS], labels)
    rule = only_rule(Gate(min_label_recall=0.5), replace(EVIDENCE, test=test))

    assert rule.passed
    assert rule.value == pytest.approx(2 / 3)
    assert (
        "(red) 0.6667 reaches the required 0.5000. The test split has no row to judge blue, "
        in (rule.sentence)
    )
    assert not only_rule(Gate(min_label_recall=0.7), replace(EVIDENCE, test=test)).passed


def test_the_calibration_error_must_not_exceed_its_limit():
    # Always certain, right three times in four.
    assert only_rule(Gate(max_calibration_error=0.25), EVIDENCE).passed
    rule = only_rule(Gate(max_calibration_error=0.249), EVIDENCE)
    assert not rule.passed
    assert rule.value == pytest.approx(0.25)
    assert "exceeds the allowed 0.2490" in rule.sentence


def test_quantisation_must_not_cost_more_than_allowed():
    evidence = replace(EVIDENCE, test_fp32=PERFECT)

    assert only_rule(Gate(max_quantisation_loss=0.25), evidence).passed
    rule = only_rule(Gate(max_quantisation_loss=0.24), evidence)
    assert not rule.passed
    assert rule.value == 0.25


def test_a_loss_of_just_the_allowed_points_is_allowed():
    # 0.93 - 0.925 is a little more than 0.005 in binary.
    evidence = replace(
        EVIDENCE, test=replace(FAIR, accuracy=0.925), test_fp32=replace(FAIR, accuracy=0.93)
    )

    assert only_rule(Gate(max_quantisation_loss=0.005), evidence).passed


def test_a_gain_by_quantisation_is_not_a_loss():
    evidence = replace(EVIDENCE, test=PERFECT)

    assert only_rule(Gate(max_quantisation_loss=0.0), evidence).passed


def test_a_model_has_to_be_better_than_the_majority_label():
    assert only_rule(Gate(above_majority=True), EVIDENCE).passed
    rule = only_rule(Gate(above_majority=True), replace(EVIDENCE, test=MAJORITY))
    assert not rule.passed
    assert "does not exceed" in rule.sentence


WARY = Gate(champion="not_significantly_worse")


def test_without_a_champion_there_is_nothing_to_be_worse_than():
    rule = only_rule(WARY, EVIDENCE)

    assert rule.passed
    assert rule.value is None
    assert "no champion" in rule.sentence


def test_a_challenger_that_wins_passes():
    rule = only_rule(WARY, against(TRUTH, FAIR_ANSWERS))

    assert rule.passed
    assert rule.value == 1
    assert "better than the champion" in rule.sentence


def test_a_challenger_that_is_significantly_worse_fails():
    rule = only_rule(WARY, against(FAIR_ANSWERS, TRUTH))

    assert not rule.passed
    assert rule.value < rule.threshold == 0.05
    assert rule.sentence.startswith("Significantly worse than the champion (run run-7)")
    assert "worse than the champion on the test split: macro-F1 -" in rule.sentence


def test_a_tie_passes():
    rule = only_rule(WARY, against(FAIR_ANSWERS, FAIR_ANSWERS))

    assert rule.passed
    assert rule.sentence.startswith("Not significantly worse")


def test_a_challenger_that_is_worse_by_chance_passes_unless_the_level_is_higher():
    almost = TRUTH.copy()
    almost[:3] = 1 - almost[:3]
    evidence = against(almost, TRUTH)
    p = evidence.against_champion.accuracy.p
    assert p == pytest.approx(0.25)
    assert only_rule(WARY, evidence).passed
    assert not only_rule(replace(WARY, significance_level=0.3), evidence).passed


def test_worse_accuracy_alone_fails_too():
    evidence = against(FAIR_ANSWERS, TRUTH)
    equal = replace(evidence.against_champion.macro_f1, value=0.0, p=1.0)
    comparison = replace(evidence.against_champion, macro_f1=equal)

    assert not only_rule(WARY, replace(evidence, against_champion=comparison)).passed


def test_a_champion_of_other_labels_is_not_replaced_unnoticed():
    rule = only_rule(WARY, replace(EVIDENCE, champion="run-7"))

    assert not rule.passed
    assert rule.value is None
    assert "cannot be compared: use another registry" in rule.sentence


def test_one_broken_rule_fails_the_gate_and_the_others_are_still_judged():
    verdict = judge(Gate(min_accuracy=0.8, min_macro_f1=0.5, above_majority=True), EVIDENCE)

    assert not verdict.passed
    assert [(rule.name, rule.passed) for rule in verdict.rules] == [
        ("min_accuracy", False),
        ("min_macro_f1", True),
        ("above_majority", True),
    ]
    assert verdict.summary.startswith("failed. Accuracy 0.7500 is below the required 0.8000.")


def test_shipped_gates_are_read_by_name():
    assert load_gate("release").min_accuracy == 0.9
    assert load_gate("smoke") == Gate()
    assert load_gate("sample").champion == load_gate("seed").champion == "not_significantly_worse"


def test_a_gate_is_read_from_a_path_or_uri(tmp_path):
    path = tmp_path / "strict"
    path.write_text("min_accuracy: 1\nabove_majority: true\n")

    expected = Gate(min_accuracy=1.0, above_majority=True)
    assert load_gate(str(path)) == load_gate(path.as_uri()) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min_acuracy: 0.9", "key 'min_acuracy': is not known. Did you mean min_accuracy"),
        ("max_latency: 1", "key 'max_latency': is not known"),
        ("min_accuracy: high", "min_accuracy='high': must be float, not str"),
        ("min_accuracy: true", "min_accuracy=True: must be float, not bool"),
        ("min_accuracy:", "min_accuracy=None: must be float"),
        ("above_majority: 1", "above_majority=1: must be bool"),
        ("min_accuracy: 90", "min_accuracy=90.0: must be between 0 and 1"),
        ("max_calibration_error: .nan", "max_calibration_error=nan: must be between"),
        ("champion: better", "champion='better': is not known"),
        ("- min_accuracy", "must hold names and values"),
        ("", "holds no rules"),
        ("{}", "holds no rules"),
        ("min_accuracy: [", "is not valid YAML"),
    ],
)
def test_a_wrong_gate_is_refused(tmp_path, text, message):
    path = tmp_path / "gate.yaml"
    path.write_text(text)

    with pytest.raises(InputError) as error:
        load_gate(str(path))
    assert message in str(error.value)


def test_an_unknown_gate_is_refused_with_the_shipped_ones():
    with pytest.raises(InputError, match="Use release, sample, seed, smoke, or a path or URI"):
        load_gate("relese")


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(["min_accuracy", "champion", "above_majority"]) | st.text(max_size=8),
        st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.lists(st.integers()),
        max_size=3,
    )
)
def test_any_mapping_is_a_gate_or_refused(tmp_path_factory, content):
    path = Path(tmp_path_factory.getbasetemp()) / "any-gate.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")

    try:
        gate = load_gate(str(path))
    except InputError:
        return
    assert isinstance(gate, Gate)
