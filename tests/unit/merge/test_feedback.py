"""Rows that people labelled in Label Studio come back as real rows for train."""

import json

import pandas as pd
import pytest

from components.artifacts.dataset import REAL, SPLITS, TRAIN, read_description
from components.artifacts.task import load_task
from components.errors import InputError
from components.merge.rows import real_train
from components.merge.run import merge
from components.merge.settings import MergeSettings

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


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (json_min([("Some text.", "boredom")]), "has rows that cannot be used"),
        (json.dumps([{"id": 1, "data": {"text": "x"}, "annotations": []}]), "text"),
    ],
)
def test_an_export_that_cannot_be_used_is_named(tmp_path, content, problem):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=rf"a\.json.*{problem}"):
        merge(MergeSettings(feedback=str(tmp_path / "a.json")), [], tmp_path / "merged")
