import csv
import json
import logging
import shutil
import subprocess
import sys
from dataclasses import replace

import pyarrow as pa
import pytest
from pyarrow import parquet

from components import storage
from components.artifacts.evaluation import read_evaluation
from components.artifacts.evaluation.comparison import (
    CHAMPION,
    EQUAL,
    MAJORITY,
    OUT_OF_DOMAIN,
    REAL_ONLY,
    TEST,
    TFIDF,
)
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.artifacts.registry import Champion, replace_champion
from components.errors import InputError
from components.evaluate.run import evaluate
from components.evaluate.settings import EvaluateSettings
from components.train.run import train
from components.train.settings import TrainSettings
from tests.tiny_encoder import write_tiny_encoder

THREE_LABELS = """
name: mood
description: the mood of a text
labels:
  - {name: sadness, description: sad}
  - {name: joy, description: glad}
  - {name: love, description: fond}
"""
SETTINGS = EvaluateSettings(bootstrap_samples=200)


@pytest.fixture
def dataset(dataset_folder, tmp_path):
    return shutil.copytree(dataset_folder, tmp_path / "dataset")


@pytest.fixture(scope="module")
def models(dataset_folder, tmp_path_factory):
    """Two tiny models: one of all rows, one of the real rows alone."""
    folder = tmp_path_factory.mktemp("tiny")
    settings = TrainSettings(
        base_model=str(write_tiny_encoder(folder / "encoder")),
        epochs=2,
        learning_rate=5e-3,
        max_length=32,
        min_int8_agreement=0,
    )
    train(settings, dataset_folder, folder / "all", folder / "checkpoints")
    train(settings, dataset_folder, folder / "real", folder / "others", real_only=True)
    return folder


@pytest.fixture(scope="module")
def model_folder(models):
    return models / "all"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Labelled texts that the data set does not hold."""
    path = tmp_path_factory.mktemp("elsewhere") / "texts.csv"
    with path.open("w", newline="") as file:
        rows = [(f"Row {n}, the dog barked.", ("joy", "fear")[n % 2]) for n in range(60)]
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


@pytest.fixture(scope="module")
def registry(model_folder, tmp_path_factory):
    """A registry in which the model itself is the champion."""
    folder = tmp_path_factory.mktemp("registry")
    version = storage.sha256(model_folder / bundle.MANIFEST)
    replace_champion(str(folder), Champion("run-1", str(model_folder), version, {}), 0)
    return str(folder)


@pytest.fixture(scope="module")
def evaluated(models, dataset_folder, elsewhere, registry, tmp_path_factory):
    """An evaluation with everything: ablation, champion, out-of-domain text."""
    output = tmp_path_factory.mktemp("evaluate")
    settings = replace(SETTINGS, registry=registry, out_of_domain=str(elsewhere))
    return run(settings, models / "all", dataset_folder, output, real_only=models / "real"), output


def run(settings, model, dataset, folder, **more):
    files = (folder / name for name in ("metrics.json", "report.html", "card.md"))
    return evaluate(settings, model, dataset, *files, **more)


def test_the_scores_are_those_of_the_served_model_on_the_test_split(
    evaluated, model_folder, dataset_folder
):
    evaluation, _ = evaluated
    table = parquet.read_table(dataset_folder / "test.parquet", use_threads=False).to_pydict()
    for precision, scores in (("int8", evaluation.test), ("fp32", evaluation.test_fp32)):
        classifier = Classifier(model_folder, precision=precision)
        right = classifier.probabilities(table["text"]).argmax(axis=1) == table["label"]
        assert scores.rows == len(right)
        assert scores.accuracy == pytest.approx(right.mean())


def test_the_score_of_torch_is_that_of_the_epoch_whose_weights_were_kept(evaluated, model_folder):
    evaluation, _ = evaluated
    history = json.loads((model_folder / bundle.HISTORY).read_text())
    points = {point["epoch"]: point for point in history["validation"]}

    assert evaluation.torch_validation == points[history["best_epoch"]]
    assert evaluation.validation_fp32.accuracy == pytest.approx(
        evaluation.torch_validation["accuracy"]
    )


def test_the_model_is_compared_with_every_other_on_the_same_rows(evaluated):
    evaluation, _ = evaluated

    assert [(each.other, each.split, each.rows) for each in evaluation.comparisons] == [
        (MAJORITY, TEST, evaluation.test.rows),
        (TFIDF, TEST, evaluation.test.rows),
        (REAL_ONLY, TEST, evaluation.test.rows),
        (CHAMPION, TEST, evaluation.test.rows),
        (REAL_ONLY, OUT_OF_DOMAIN, 60),
    ]
    others = {**evaluation.baselines, REAL_ONLY: evaluation.real_only}
    for comparison in evaluation.comparisons[:3]:
        assert comparison.macro_f1.value == pytest.approx(
            evaluation.test.macro_f1 - others[comparison.other].macro_f1
        )
        assert comparison.accuracy.value == pytest.approx(
            evaluation.test.accuracy - others[comparison.other].accuracy
        )


def test_a_champion_is_not_better_than_itself(evaluated):
    evaluation, _ = evaluated
    comparison = next(each for each in evaluation.comparisons if each.other == CHAMPION)

    assert comparison.outcome == EQUAL
    assert evaluation.champion.scores == evaluation.test
    assert evaluation.champion.run_id == "run-1"
    assert evaluation.champion.generation > 0
    assert evaluation.champion.version == evaluation.model_version


def test_the_file_names_model_data_and_gate(evaluated, model_folder, dataset_folder):
    evaluation, output = evaluated
    metrics = json.loads((output / "metrics.json").read_text())

    assert read_evaluation(output / "metrics.json") == evaluation

    assert metrics["model_version"] == storage.sha256(model_folder / bundle.MANIFEST)
    assert metrics["rows"] == json.loads((dataset_folder / "dataset.json").read_text())["rows"]
    assert list(metrics["per_label"]) == metrics["labels"]
    assert set(metrics["baselines"]) == {"majority", "tfidf_logistic_regression"}
    assert metrics["gate"]["passed"] == all(rule["passed"] for rule in metrics["gate"]["rules"])
    assert metrics["accuracy"] == evaluation.test.accuracy
    assert metrics["validation"]["accuracy"] == evaluation.validation.accuracy
    assert metrics["champion"]["generation"] == evaluation.champion.generation
    assert {name: metrics[name] for name in evaluation.figures() if "fp32" not in name} == {
        name: value for name, value in evaluation.figures().items() if "fp32" not in name
    }


def test_the_report_and_the_card_show_the_scores(evaluated):
    evaluation, output = evaluated

    assert f"{evaluation.test.accuracy:.3f}" in (output / "report.html").read_text("utf-8")
    assert "emotion" in (output / "card.md").read_text("utf-8")
    assert sorted(each.name for each in output.iterdir()) == [
        "card.md",
        "metrics.json",
        "report.html",
    ]


def test_without_ablation_champion_and_other_texts_there_is_less(
    model_folder, dataset_folder, tmp_path
):
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    settings = replace(SETTINGS, registry=str(tmp_path / "registry"))

    evaluation = run(settings, model_folder, dataset_folder, tmp_path, real_only=nothing)

    # The embedded sample is the data set itself, so it is no text from elsewhere.
    assert evaluation.out_of_domain is None
    assert evaluation.real_only is None
    assert evaluation.champion is None
    assert [each.other for each in evaluation.comparisons] == [MAJORITY, TFIDF]


def test_a_champion_of_other_labels_fails_the_gate_with_a_reason(
    model_folder, dataset_folder, tmp_path
):
    other = shutil.copytree(model_folder, tmp_path / "other")
    labels = bundle.read_labels(other)
    bundle.write_labels(other, replace(labels, names=labels.names[::-1]))
    bundle.write_manifest(other, {})
    champion = Champion("run-9", str(other), storage.sha256(other / bundle.MANIFEST), {})
    replace_champion(str(tmp_path / "registry"), champion, 0)
    settings = replace(SETTINGS, registry=str(tmp_path / "registry"))

    evaluation = run(settings, model_folder, dataset_folder, tmp_path)

    rule = next(each for each in evaluation.verdict.rules if each.name == "champion")
    assert not rule.passed
    assert "run-9" in rule.sentence
    assert evaluation.champion.scores is None


def test_a_champion_that_was_tampered_with_is_refused(model_folder, dataset_folder, tmp_path):
    champion = Champion("run-9", str(model_folder), "0" * 64, {})
    replace_champion(str(tmp_path / "registry"), champion, 0)

    with pytest.raises(InputError, match="was released"):
        run(
            replace(SETTINGS, registry=str(tmp_path / "registry")),
            model_folder,
            dataset_folder,
            tmp_path,
        )


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("text,label\nHello,bored\n", "row 1 has a label that is not of the task emotion"),
        ("sentence,label\nHello,joy\n", "columns text and label"),
        ('text,label\n"Hello,joy\n', "columns text and label"),
        (b"text,label\n\xff,joy\n", "columns text and label"),
    ],
)
def test_malformed_texts_from_elsewhere_are_refused(
    model_folder, dataset_folder, tmp_path, content, rule
):
    path = tmp_path / "other.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(InputError, match=rule):
        run(replace(SETTINGS, out_of_domain=str(path)), model_folder, dataset_folder, tmp_path)


def test_texts_of_the_data_set_are_not_from_elsewhere(
    model_folder, dataset_folder, tmp_path, caplog
):
    known = parquet.read_table(dataset_folder / "train.parquet", use_threads=False)["text"]
    path = tmp_path / "other.csv"
    with path.open("w", newline="") as file:
        rows = [(text, "joy") for text in known.to_pylist()[:100]]
        csv.writer(file).writerows([("text", "label"), *rows, ("A new one.", "joy")])

    with caplog.at_level(logging.INFO):
        settings = replace(SETTINGS, out_of_domain=str(path))
        evaluation = run(settings, model_folder, dataset_folder, tmp_path)

    assert evaluation.out_of_domain is None
    assert "1 rows of" in caplog.text


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", -1), ("bootstrap_samples", 10), ("registry", "ftp://bucket/models")],
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(InputError, match=name):
        EvaluateSettings(**{name: value})


def test_a_data_set_of_other_labels_is_refused(model_folder, dataset, tmp_path):
    description = json.loads((dataset / "dataset.json").read_text())
    description["labels"].reverse()
    (dataset / "dataset.json").write_text(json.dumps(description))

    with pytest.raises(InputError, match=r"^data set "):
        run(SETTINGS, model_folder, dataset, tmp_path)
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
        run(EvaluateSettings(task=str(task)), model_folder, dataset, tmp_path)


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
        run(SETTINGS, model_folder, dataset, tmp_path)


def test_a_train_split_of_one_label_is_refused(model_folder, dataset, tmp_path):
    write_split(dataset / "train.parquet", {"text": ["a", "b"], "label": [1, 1]})

    with pytest.raises(InputError, match="one label only"):
        run(SETTINGS, model_folder, dataset, tmp_path)


def test_a_description_without_labels_is_refused(model_folder, dataset, tmp_path):
    (dataset / "dataset.json").write_text('{"rows": {}}')

    with pytest.raises(InputError, match="'labels'"):
        run(SETTINGS, model_folder, dataset, tmp_path)


@pytest.mark.parametrize("name", ["test.parquet", "validation.parquet", "dataset.json"])
def test_a_missing_file_is_named(model_folder, dataset, tmp_path, name):
    (dataset / name).unlink()

    with pytest.raises(InputError, match=f"{name}: there is no such file"):
        run(SETTINGS, model_folder, dataset, tmp_path)


@pytest.mark.parametrize("name", ["test.parquet", "dataset.json"])
def test_a_damaged_file_is_named(model_folder, dataset, tmp_path, name):
    (dataset / name).write_bytes(b"\x00\xff damaged")

    with pytest.raises(InputError, match=f"{name}: is not a"):
        run(SETTINGS, model_folder, dataset, tmp_path)


def test_evaluate_needs_no_torch():
    code = "import sys, components.evaluate.run; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def write_split(path, columns):
    parquet.write_table(pa.table(columns), path)
