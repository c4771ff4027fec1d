"""Nothing but the task file and the data says that the pipeline is about emotions."""

import json

import pandas as pd
import pytest

from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.errors import InputError
from components.evaluate.run import evaluate
from components.evaluate.settings import EvaluateSettings
from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.train.fine_tuning import fine_tune
from components.train.settings import TrainSettings
from tests.support_tickets import NAMES, TASK, TICKETS, write_task, write_tickets
from tests.tiny_encoder import write_tiny_encoder


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Data set and model of the support task."""
    folder = tmp_path_factory.mktemp("support")
    task = str(write_task(folder))
    synthetic = folder / "synthetic_emotions.json"
    synthetic.write_text(json.dumps([{"text": "Where is my invoice?", "label": "billing"}]))
    choice = MergeSettings(task=task, dataset=str(write_tickets(folder)), test_fraction=0.2)
    merge(choice, [folder], folder / "dataset")
    encoder = write_tiny_encoder(folder / "encoder")
    settings = TrainSettings(
        task=task, base_model=str(encoder), epochs=2, learning_rate=5e-3, max_length=32
    )
    fine_tune(settings, folder / "dataset", folder / "model", folder / "checkpoints")
    return folder


def test_the_data_set_has_the_three_labels(work):
    description = json.loads((work / "dataset" / "dataset.json").read_text())
    real = sum(counts["real"] for counts in description["rows"].values())

    assert (description["task"], tuple(description["labels"])) == ("support", NAMES)
    assert real == sum(map(len, TICKETS.values()))
    test = pd.read_parquet(work / "dataset" / "test.parquet")
    assert all(
        text in TICKETS[NAMES[label]] for text, label in zip(test.text, test.label, strict=True)
    )


def test_the_model_answers_with_the_three_labels(work):
    classifier = Classifier(work / "model")
    shares = classifier.probabilities(["Please refund the last payment."])

    labels = bundle.read_labels(work / "model")
    assert labels == bundle.Labels("support", NAMES, 32, 0, labels.temperature)
    assert classifier.labels == NAMES
    assert shares.shape == (1, len(NAMES))
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    card = (work / "model" / "README.md").read_text()
    assert "what a support ticket is about: billing, technical, account" in card


def test_the_scores_are_of_the_three_labels(work, tmp_path):
    settings = EvaluateSettings(task=str(work / "support.yaml"), gate="smoke")
    report = tmp_path / "report.html"
    files = (tmp_path / "metrics.json", report, tmp_path / "card.md")
    evaluation = evaluate(settings, work / "model", work / "dataset", *files)

    assert (evaluation.task, tuple(evaluation.labels)) == ("support", NAMES)
    assert evaluation.test.rows == 13
    page = report.read_text()
    assert all(name in page for name in NAMES)
    assert "sadness" not in page


def test_the_model_is_not_taken_for_one_of_the_shipped_task(work, tmp_path):
    with pytest.raises(InputError, match="has the labels billing, technical, account, but the"):
        files = (tmp_path / name for name in "abc")
        evaluate(EvaluateSettings(), work / "model", work / "dataset", *files)
    with pytest.raises(InputError, match="has the labels billing, technical, account, but the"):
        fine_tune(TrainSettings(), work / "dataset", tmp_path / "model", tmp_path / "checkpoints")


def test_labels_of_another_task_are_refused_as_rows(work, tmp_path):
    assert "joy" not in TASK
    settings = MergeSettings(task=str(work / "support.yaml"))

    with pytest.raises(InputError, match=r"sample, train: .* train\.csv, row 1: label '\w+' is un"):
        merge(settings, [work], tmp_path / "out")
