"""A student is trained, resumed and written like any model."""

from dataclasses import replace

import pandas as pd
import pytest
from transformers import AutoModelForSequenceClassification

from components.artifacts.dataset import REAL
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.artifacts.model.history import read_history
from components.errors import InputError
from components.train.fine_tuning import fine_tune
from components.train.settings import TrainSettings
from tests.tiny_encoder import write_tiny_encoder

TELLING = ("wept", "laughed", "cherished", "raged", "trembled", "gasped")
"""A word by which each label is told."""


@pytest.fixture(scope="module")
def dataset(dataset_folder, tmp_path_factory):
    """A data set that even a tiny encoder learns: a word tells the label."""
    folder = tmp_path_factory.mktemp("telling")
    (folder / "dataset.json").write_text((dataset_folder / "dataset.json").read_text())
    for split, count in {"train": 240, "validation": 60, "test": 6}.items():
        labels = [row % len(TELLING) for row in range(count)]
        texts = [f"number {row} {TELLING[label]} today" for row, label in enumerate(labels)]
        frame = pd.DataFrame({"text": texts, "label": labels, "source": REAL})
        frame.to_parquet(folder / f"{split}.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return TrainSettings(
        base_model=str(write_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")),
        peft_method="full",
        learning_rate=1e-2,
        epochs=10,
        dropout=0.0,
        max_length=16,
        label_smoothing=0.0,
        average_decay=0.9,
        distill=True,
        student_layers=1,
        student_learning_rate=1e-2,
        student_epochs=6,
        student_variants=1,
    )


@pytest.fixture(scope="module")
def run(settings, dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, fine_tune(settings, dataset, folder / "model", folder / "checkpoints")


def test_a_student_learns_what_its_teacher_knows(run):
    folder, history = run
    facts = bundle.verify(folder / "model").facts

    assert facts["teacher"]["accuracy"] > 0.9
    assert history.teacher["accuracy"] == facts["teacher"]["accuracy"]
    assert read_history(folder / "model") == history
    assert history.best["accuracy"] > 0.9
    assert facts["trainable_weights"] < facts["weights"] < facts["teacher"]["weights"]
    assert facts["settings"]["peft_method"] == "full"
    assert len(history.validation) == 6


def test_it_is_an_ordinary_model_with_fewer_layers(run):
    model = run[0] / "model"
    merged = AutoModelForSequenceClassification.from_pretrained(model / bundle.MERGED)

    assert (merged.config.num_hidden_layers, len(merged.bert.encoder.layer)) == (1, 1)
    card = (model / "README.md").read_text()
    assert "distilled from a fine-tuned model" in card
    assert "library_name: transformers" in card
    texts = [f"number 7 {word} today" for word in TELLING]
    assert Classifier(model).probabilities(texts).argmax(axis=1).tolist() == [0, 1, 2, 3, 4, 5]


def test_a_killed_run_resumes_with_its_student_and_another_student_needs_no_new_teacher(
    run, settings, dataset, tmp_path, caplog
):
    folder, history = run
    with caplog.at_level("INFO"):
        again = fine_tune(settings, dataset, tmp_path / "again", folder / "checkpoints")
        larger = replace(settings, student_layers=2, student_epochs=1)
        fine_tune(larger, dataset, tmp_path / "larger", folder / "checkpoints")
    resumed = [each.message for each in caplog.records if "resuming" in each.message]

    assert (again.train, again.validation) == (history.train, history.validation)
    assert weights(tmp_path / "again") == weights(folder / "model")
    # The teacher twice, and the student that is the same once.
    assert len(resumed) == 3
    sizes = [bundle.verify(tmp_path / name).facts["weights"] for name in ("again", "larger")]
    assert sizes[0] < sizes[1]


def test_the_adapter_of_a_teacher_is_not_that_of_its_student(settings, dataset, tmp_path):
    by_adapter = replace(
        settings, peft_method="lora", epochs=1, student_epochs=1, min_int8_agreement=0.0
    )
    fine_tune(by_adapter, dataset, tmp_path / "model", tmp_path / "checkpoints")

    facts = bundle.verify(tmp_path / "model").facts
    assert not (tmp_path / "model" / bundle.ADAPTER).exists()
    assert facts["settings"]["peft_method"] == "lora"


def test_what_a_student_lacks_is_found_before_its_teacher_is_trained(settings, dataset, tmp_path):
    deep = replace(settings, student_layers=3)
    wordless = replace(settings, unlabelled_texts=str(tmp_path / "none.txt"))
    for wrong, name in ((deep, "student_layers=3"), (wordless, "none.txt")):
        with pytest.raises(InputError, match=name):
            fine_tune(wrong, dataset, tmp_path / "model", tmp_path / "checkpoints")
    assert not list((tmp_path / "checkpoints").glob("checkpoint-*"))


def weights(model):
    return (model / bundle.MERGED / "model.safetensors").read_bytes()
