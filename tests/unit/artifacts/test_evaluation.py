import json
import subprocess
import sys

import pytest

from components.artifacts.evaluation import Evaluation, read_evaluation
from components.errors import InputError
from tests.evaluations import EVALUATION


def changed(**values):
    return json.dumps(json.loads(EVALUATION.to_json()) | values)


def test_an_evaluation_survives_the_round_trip():
    restored = Evaluation.from_json(EVALUATION.to_json())

    assert restored == EVALUATION
    assert restored.to_json() == EVALUATION.to_json()


def test_what_does_not_exist_stays_none():
    text = changed(out_of_domain=None, real_only=None, champion=None)

    restored = Evaluation.from_json(text)

    assert restored.champion is restored.real_only is restored.out_of_domain is None
    assert restored.champion_generation == 0


def test_the_scores_on_the_test_split_and_the_gate_are_at_the_top_level():
    content = json.loads(EVALUATION.to_json())

    assert content["accuracy"] == EVALUATION.test.accuracy
    assert content["rows"] == EVALUATION.rows
    assert content["gate"]["passed"] == EVALUATION.passed
    assert not {"test", "verdict"} & set(content)


def test_further_values_are_written_and_ignored():
    text = EVALUATION.to_json(seconds={"train": 3.0})

    assert json.loads(text)["seconds"] == {"train": 3.0}
    assert Evaluation.from_json(text) == EVALUATION


def test_an_evaluation_is_read_from_a_path_or_uri(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text(EVALUATION.to_json(), encoding="utf-8")

    assert read_evaluation(path) == read_evaluation(path.as_uri()) == EVALUATION


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"accuracy": "0.9"}, "accuracy"),
        ({"validation": {}}, "validation.rows"),
        ({"gate": {"passed": "yes", "rules": []}}, "gate.passed"),
        ({"champion": {"run_id": "1", "version": "2", "scores": None}}, "champion.generation"),
        ({"baselines": {"majority": 3}}, "baselines.majority"),
        ({"labels": "joy"}, "labels"),
    ],
)
def test_a_malformed_value_is_refused_with_its_place(values, place):
    with pytest.raises(InputError, match=rf"^metrics\.json, {place}: .* Evaluate the model again"):
        Evaluation.from_json(changed(**values), "metrics.json")


def test_a_file_without_verdict_is_refused():
    content = json.loads(EVALUATION.to_json())
    del content["gate"]

    with pytest.raises(InputError, match="evaluation, gate: Field required"):
        Evaluation.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"confusion_matrix": 3}'])
def test_a_file_that_is_no_evaluation_is_refused(text):
    with pytest.raises(InputError, match="is not the JSON object that evaluate writes"):
        Evaluation.from_json(text)


def test_reading_needs_none_of_what_evaluate_measures_with():
    code = (
        "import sys, components.artifacts.evaluation\n"
        "sys.exit(bool({'numpy', 'sklearn', 'pydantic', 'tokenizers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
