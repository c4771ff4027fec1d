import json
import subprocess
import sys
from dataclasses import asdict

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from components.artifacts.dataset import (
    SPLITS,
    TEST,
    Description,
    read_dataset,
    read_description,
    read_frame,
    read_split,
    split_file,
    write_dataset,
)
from components.errors import InputError

LABELS = ("red", "green")
ROWS = pd.DataFrame(
    {
        "text": ["blood", "a rose", "grass", "a frog"],
        "label": [0, 0, 1, 1],
        "source": ["real", "real", "real", "synthetic"],
    }
)
CHECKS = {"leak_share": {"value": 0.0, "limit": 0.02, "passed": True}}


@pytest.fixture
def folder(tmp_path):
    described = Description(task="colour", labels=LABELS, rows={"test": {"real": 4}}, checks=CHECKS)
    weighted = ROWS.assign(weight=[1.0, 0.5, 1.0, 1.0], place="not written")
    write_dataset(
        {"train": weighted, "validation": ROWS, "test": ROWS}, described, tmp_path / "data"
    )
    return tmp_path / "data"


def test_what_was_written_is_read(folder):
    dataset = read_dataset(folder, LABELS)

    assert dataset.labels == dataset.description.labels == LABELS
    assert dataset.description.checks == CHECKS
    assert set(dataset.description.sha256) == {f"{split}.parquet" for split in SPLITS}
    assert list(dataset.test.texts) == list(ROWS["text"])
    assert dataset.test.labels.tolist() == [0, 0, 1, 1]
    assert list(dataset.train.sources) == list(ROWS["source"])
    pd.testing.assert_frame_equal(read_frame(folder, TEST, LABELS), ROWS)
    assert list(read_frame(folder, "train", LABELS)) == ["text", "label", "source", "weight"]


def test_the_description_holds_all_fields_and_ignores_later_ones(folder):
    path = folder / "dataset.json"
    content = json.loads(path.read_text())
    assert content == json.loads(json.dumps(asdict(read_description(folder))))

    path.write_text(json.dumps(content | {"later": 1}))
    assert read_description(folder).task == "colour"


def test_equal_seeds_draw_equal_rows(folder):
    test = read_split(folder, TEST, LABELS)

    assert test.draw(2) == test.draw(2)
    assert sorted(test.draw(9)) == sorted(zip(ROWS["text"], ROWS["label"], strict=True))


def test_pandas_is_not_needed_to_read(folder):
    code = f"""
import importlib.abc, sys
class NoPandas(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name == "pandas":
            raise ImportError(name)
sys.meta_path.insert(0, NoPandas())
from pathlib import Path
from components.artifacts.dataset import read_dataset
read_dataset(Path({str(folder)!r}), {LABELS!r})
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("read", [read_split, read_frame])
@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"text": pa.array([], pa.string()), "label": pa.array([], pa.int64())}, "has no rows"),
        ({"text": ["a"]}, "has no column label"),
        ({"label": [0]}, "has no column text"),
        ({"text": ["a", None], "label": [0, 1]}, "column text"),
        ({"text": [1], "label": [0]}, "column text"),
        ({"text": ["a", "b"], "label": [0, None]}, "column label"),
        ({"text": ["a"], "label": [2]}, "from 0 to 1"),
        ({"text": ["a"], "label": [-1]}, "from 0 to 1"),
        ({"text": ["a"], "label": ["red"]}, "from 0 to 1"),
    ],
)
def test_a_malformed_split_is_refused(folder, read, columns, rule):
    parquet.write_table(pa.table(columns), split_file(folder, TEST))

    with pytest.raises(InputError, match=rule):
        read(folder, TEST, LABELS)


@pytest.mark.parametrize("read", [read_split, read_frame])
def test_a_data_set_of_other_labels_is_refused(folder, read):
    with pytest.raises(InputError, match="has the labels red, green, but the task has red, blue"):
        read(folder, TEST, ("red", "blue"))


def test_a_train_split_of_one_label_is_refused(folder):
    parquet.write_table(
        pa.table({"text": ["a", "b"], "label": [1, 1]}), split_file(folder, "train")
    )

    with pytest.raises(InputError, match="one label only"):
        read_dataset(folder, LABELS)


@pytest.mark.parametrize("content", ['{"rows": {}}', '{"labels": "red", "rows": {}}', "[]"])
def test_a_description_without_labels_is_refused(folder, content):
    (folder / "dataset.json").write_text(content)

    with pytest.raises(InputError, match="'labels'"):
        read_dataset(folder, LABELS)


@pytest.mark.parametrize("name", ["test.parquet", "dataset.json"])
def test_a_missing_or_damaged_file_is_named(folder, name):
    (folder / name).write_bytes(b"\x00\xff damaged")
    with pytest.raises(InputError, match=f"{name}: is not a"):
        read_dataset(folder, LABELS)

    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: there is no such file"):
        read_dataset(folder, LABELS)
