"""Rows that people labelled in Label Studio come back as real rows for train."""

import json
from pathlib import Path

import pandas as pd
import pytest

from components.artifacts.dataset import REAL, SPLITS, TRAIN, read_description
from components.artifacts.task import load_task
from components.errors import InputError
from components.merge.reading.tables import read_file
from components.merge.rows import real_train
from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.preflight.sources import require_feedback

SAMPLE = Path(__file__).parents[3] / "components" / "merge" / "sample"
LABELS = load_task("emotion").names
ROWS = [
    ("The printer ate my homework again, and I laughed until I cried.", "joy"),
    ("They moved my desk without a word.", "anger"),
]


def json_min(rows):
    """As Label Studio's converter (label-studio-sdk 2.0.19) writes tasks with one annotation."""
    about = {"annotator": 1, "annotation_id": 101, "created_at": None, "lead_time": None}
    tasks = [
        {"text": text, "id": number, "label": label, **about}
        for number, (text, label) in enumerate(rows, start=1)
    ]
    return json.dumps(tasks, indent=2)


def export_csv(rows):
    """The same, as CSV."""
    head = '"annotation_id","annotator","created_at","id","label","lead_time","text","updated_at"'
    lines = [f'101,"1","",1,"{label}","","{text}",""' for text, label in rows]
    return "\n".join([head, *lines]) + "\n"


@pytest.mark.parametrize(("name", "export"), [("a.json", json_min), ("a.csv", export_csv)])
def test_an_export_becomes_real_rows_of_train_and_is_named(tmp_path, name, export):
    (tmp_path / name).write_text(export(ROWS))
    plain = merge(MergeSettings(), [], tmp_path / "plain")
    settings = MergeSettings(feedback=str(tmp_path / name))
    page = tmp_path / "report.html"
    described = merge(settings, [], tmp_path / "merged", report=page)
    train = pd.read_parquet(tmp_path / "merged" / "train.parquet")
    rows = train[train["text"].isin([text for text, _ in ROWS])]
    found = list(zip(rows["text"], [LABELS[each] for each in rows["label"]], strict=True))
    assert sorted(found) == sorted(ROWS)
    assert set(rows["source"]) == {REAL}
    assert described.rows[TRAIN][REAL] == plain.rows[TRAIN][REAL] + 2
    for split in set(SPLITS) - {TRAIN}:
        files = [tmp_path / folder / f"{split}.parquet" for folder in ("plain", "merged")]
        assert len({file.read_bytes() for file in files}) == 1
    (source,) = (
        each for each in read_description(tmp_path / "merged").sources if each["name"] == "feedback"
    )
    assert (source["rows"], list(source["sha256"])) == (2, [name])
    assert f"{name}, sha256 {source['sha256'][name][:12]}" in page.read_text()


def test_generate_learns_from_them_too(tmp_path):
    (tmp_path / "a.json").write_text(json_min(ROWS))
    texts = set(real_train(MergeSettings(feedback=str(tmp_path / "a.json")))["text"])
    assert {text for text, _ in ROWS} <= texts


UNKNOWN = json_min([("Some text.", "boredom")])
OTHER_EXPORT = json.dumps([{"id": 1, "data": {"text": "x"}, "annotations": []}])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (UNKNOWN, "has rows that cannot be used.*Correct the rows, raise"),
        (OTHER_EXPORT, "lacks the column label, text.*as CSV or JSON-MIN"),
        ("[]", "lacks the column label, text.*as CSV or JSON-MIN"),
    ],
)
def test_an_export_that_cannot_be_used_is_named(tmp_path, content, problem):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=rf"a\.json.*{problem}"):
        merge(MergeSettings(feedback=str(tmp_path / "a.json")), [], tmp_path / "merged")


@pytest.mark.parametrize(
    ("content", "problem"), [(UNKNOWN, "1 of 1 rows.*boredom"), (OTHER_EXPORT, "lacks the column")]
)
def test_that_is_told_before_anything_is_generated(tmp_path, content, problem):
    (tmp_path / "a.json").write_text(content)
    settings = MergeSettings(feedback=f"{tmp_path / 'a.json'}")
    with pytest.raises(InputError, match=rf"feedback .*a\.json: {problem}"):
        require_feedback(settings)
    (tmp_path / "a.json").write_text(json_min(ROWS))
    require_feedback(settings)


def test_rows_that_nobody_labelled_are_left_out_and_counted(tmp_path):
    """As label-studio-sdk 2.0.19 writes a task that was submitted without a choice, or not at all.

    What was skipped it leaves out itself.
    """
    rows = [*ROWS, ("Nobody chose a label for this one.", "")]
    (tmp_path / "a.csv").write_text(export_csv(rows))
    tasks = json.loads(json_min(rows))
    del tasks[-1]["label"]
    (tmp_path / "a.json").write_text(json.dumps(tasks))
    for name in ("a.csv", "a.json"):
        page = tmp_path / "report.html"
        described = merge(
            MergeSettings(feedback=str(tmp_path / name)), [], tmp_path / "merged", report=page
        )
        (source,) = (each for each in described.sources if each["name"] == "feedback")
        assert (source["rows"], source["unlabelled"]) == (2, 1)
        assert "1 more rows had no label" in page.read_text()


def test_texts_of_the_test_split_are_taken_out_and_no_reason_to_fail(tmp_path):
    """People who try the endpoint send such texts; the limit is for splits that leak."""
    test = read_file(SAMPLE / "test.csv")
    (tmp_path / "a.json").write_text(json_min(zip(test["text"], test["label"], strict=True)))
    plain = merge(MergeSettings(), [], tmp_path / "plain")
    described = merge(MergeSettings(feedback=str(tmp_path / "a.json")), [], tmp_path / "merged")
    assert described.rows == plain.rows
    assert described.checks["leak_share"] == plain.checks["leak_share"]
    assert described.removed["in_other_split"] == len(test)
