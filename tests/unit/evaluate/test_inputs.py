import csv
import logging

import numpy as np
import pytest

from components.artifacts.dataset import Dataset, Description, Split
from components.artifacts.task import load_task
from components.errors import InputError
from components.evaluate.inputs import read_out_of_domain
from components.evaluate.settings import SAMPLE

TASK = load_task("emotion")
KNOWN = Split([f"Row {n}, the cat slept." for n in range(60)], np.zeros(60, int))
DATASET = Dataset(Description(labels=TASK.names, rows={}), KNOWN, KNOWN, KNOWN)


@pytest.fixture
def file(tmp_path):
    def write(rows):
        path = tmp_path / "texts.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
        return str(path)

    return write


def test_labelled_texts_are_read(file):
    path = file([(f"Row {n}, the dog barked.", ("joy", "fear")[n % 2]) for n in range(50)])

    split = read_out_of_domain(path, DATASET, TASK)

    assert len(split.texts) == 50
    assert {TASK.names[label] for label in split.labels} == {"joy", "fear"}


def test_texts_of_the_data_set_are_left_out(file, caplog):
    path = file([*((text, "joy") for text in KNOWN.texts), ("A new one.", "joy")])

    with caplog.at_level(logging.INFO):
        assert read_out_of_domain(path, DATASET, TASK) is None

    assert "only 1 rows of" in caplog.text


def test_without_a_reference_there_is_nothing_to_read():
    assert read_out_of_domain("", DATASET, TASK) is None


def test_the_embedded_sample_is_only_for_tasks_with_its_labels(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text(
        "name: mood\ndescription: the mood\n"
        "labels:\n  - {name: up, description: glad}\n  - {name: down, description: sad}\n"
    )

    assert read_out_of_domain(SAMPLE, DATASET, TASK) is not None
    assert read_out_of_domain(SAMPLE, DATASET, load_task(str(path))) is None


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"text,label\nHello,bored\n", "row 1 has a label that the task emotion lacks"),
        (b"text,label\nHello,joy\nHello\n", "row 2 has a label that the task emotion lacks"),
        (b"label,text\njoy,Hello\njoy\n", "row 2 has no text"),
        (b"text,label\n ,joy\n", "row 1 has no text"),
        (b"sentence,label\nHello,joy\n", "columns text and label"),
        (b'text,label\n"Hello,joy\n', "columns text and label"),
        (b"text,label\n\xff,joy\n", "columns text and label"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path, content, rule):
    path = tmp_path / "texts.csv"
    path.write_bytes(content)

    with pytest.raises(InputError, match=rule):
        read_out_of_domain(str(path), DATASET, TASK)
