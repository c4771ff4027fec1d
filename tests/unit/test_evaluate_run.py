import json
import shutil
import subprocess
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

from components import bundle, storage
from components.checks import InputError
from components.evaluate.run import evaluate
from components.evaluate.settings import EvaluateSettings
from components.serve.classifier import Classifier

THREE_LABELS = """
name: mood
description: the mood of a text
labels:
  - {name: sadness, description: sad}
  - {name: joy, description: glad}
  - {name: love, description: fond}
"""


@pytest.fixture
def dataset(dataset_folder, tmp_path):
    return shutil.copytree(dataset_folder, tmp_path / "dataset")


@pytest.fixture(scope="module")
def evaluated(model_folder, dataset_folder, tmp_path_factory):
    report = tmp_path_factory.mktemp("evaluate") / "report.html"
    return evaluate(EvaluateSettings(), model_folder, dataset_folder, report), report


def test_the_scores_are_those_of_the_model_on_the_test_split(
    evaluated, model_folder, dataset_folder
):
    evaluation, _ = evaluated
    table = parquet.read_table(dataset_folder / "test.parquet", use_threads=False).to_pydict()
    predictions = Classifier(model_folder).classify(table["text"])
    right = [
        prediction.label == evaluation.labels[label]
        for prediction, label in zip(predictions, table["label"], strict=True)
    ]

    assert evaluation.test.rows == len(right)
    assert evaluation.test.accuracy == pytest.approx(sum(right) / len(right))


def test_the_metrics_are_json_and_name_model_data_and_gate(evaluated, model_folder, dataset_folder):
    evaluation, _ = evaluated
    metrics = evaluation.to_metrics()

    assert json.loads(json.dumps(metrics)) == metrics
    assert metrics["model_version"] == storage.sha256(model_folder / bundle.MANIFEST)
    assert metrics["rows"] == json.loads((dataset_folder / "dataset.json").read_text())["rows"]
    assert list(metrics["per_label"]) == metrics["labels"]
    assert set(metrics["baselines"]) == {"majority", "tfidf_logistic_regression"}
    assert metrics["gate"]["passed"] == all(rule["passed"] for rule in metrics["gate"]["rules"])
    assert metrics["validation"]["accuracy"] == evaluation.validation.accuracy


def test_the_report_shows_the_scores(evaluated):
    evaluation, report = evaluated

    assert f"{evaluation.test.accuracy:.3f}" in report.read_text(encoding="utf-8")
    assert [each.name for each in report.parent.iterdir()] == [report.name]


def test_a_data_set_of_other_labels_is_refused(model_folder, dataset, tmp_path):
    description = json.loads((dataset / "dataset.json").read_text())
    description["labels"].reverse()
    (dataset / "dataset.json").write_text(json.dumps(description))

    with pytest.raises(InputError, match=r"^data set "):
        evaluate(EvaluateSettings(), model_folder, dataset, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_model_of_other_labels_is_refused(model_folder, dataset, tmp_path):
    task = tmp_path / "mood.yaml"
    task.write_text(THREE_LABELS)
    description = json.loads((dataset / "dataset.json").read_text())
    (dataset / "dataset.json").write_text(
        json.dumps(description | {"labels": ["sadness", "joy", "love"]})
    )
    for split in ("train", "validation", "test"):
        write_split(dataset / f"{split}.parquet", {"text": ["a b", "c"], "label": [0, 1]})

    with pytest.raises(InputError, match=r"^model .* has the labels"):
        evaluate(EvaluateSettings(task=str(task)), model_folder, dataset, tmp_path / "report.html")


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"text": pa.array([], pa.string()), "label": pa.array([], pa.int64())}, "has no rows"),
        ({"text": ["a"]}, "has no column label"),
        ({"label": [0]}, "has no column text"),
        ({"text": ["a", None], "label": [0, 1]}, "column text"),
        ({"text": ["a", "b"], "label": [0, None]}, "column label"),
        ({"text": ["a"], "label": [6]}, "from 0 to 5"),
        ({"text": ["a"], "label": [-1]}, "from 0 to 5"),
        ({"text": ["a"], "label": ["joy"]}, "from 0 to 5"),
    ],
)
def test_a_malformed_test_split_is_refused(model_folder, dataset, tmp_path, columns, rule):
    write_split(dataset / "test.parquet", columns)

    with pytest.raises(InputError, match=rule):
        evaluate(EvaluateSettings(), model_folder, dataset, tmp_path / "report.html")


def test_a_train_split_of_one_label_is_refused(model_folder, dataset, tmp_path):
    write_split(dataset / "train.parquet", {"text": ["a", "b"], "label": [1, 1]})

    with pytest.raises(InputError, match="one label only"):
        evaluate(EvaluateSettings(), model_folder, dataset, tmp_path / "report.html")


def test_a_description_without_labels_is_refused(model_folder, dataset, tmp_path):
    (dataset / "dataset.json").write_text('{"rows": {}}')

    with pytest.raises(InputError, match="'labels'"):
        evaluate(EvaluateSettings(), model_folder, dataset, tmp_path / "report.html")


@pytest.mark.parametrize("name", ["test.parquet", "validation.parquet", "dataset.json"])
def test_a_missing_file_is_named(model_folder, dataset, tmp_path, name):
    (dataset / name).unlink()

    with pytest.raises(InputError, match=f"{name}: there is no such file"):
        evaluate(EvaluateSettings(), model_folder, dataset, tmp_path / "report.html")


@pytest.mark.parametrize("name", ["test.parquet", "dataset.json"])
def test_a_damaged_file_is_named(model_folder, dataset, tmp_path, name):
    (dataset / name).write_bytes(b"\x00\xff damaged")

    with pytest.raises(InputError, match=f"{name}: is not a"):
        evaluate(EvaluateSettings(), model_folder, dataset, tmp_path / "report.html")


def test_evaluate_needs_no_torch():
    code = "import sys, components.evaluate.run; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def write_split(path, columns):
    parquet.write_table(pa.table(columns), path)
