import json
import os
import warnings
from pathlib import Path

import pandas as pd
import pytest

from components import storage
from components.checks import InputError
from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.text import fold

SPLITS = ("train", "validation", "test")
REAL_DATA = Path(__file__).parents[3] / "shared" / "data" / "emotion"


def read(folder, split):
    return pd.read_parquet(folder / f"{split}.parquet")


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def write_synthetic(path, *texts):
    path.write_text(json.dumps([{"text": text, "label": "joy"} for text in texts]))
    return path


def test_synthetic_rows_are_in_train_only(dataset_folder, synthetic_file):
    sources = {split: set(read(dataset_folder, split)["source"]) for split in SPLITS}
    train = read(dataset_folder, "train")
    synthetic = {row["text"] for row in json.loads(synthetic_file.read_text())}

    assert sources == {"train": {"real", "synthetic"}, "validation": {"real"}, "test": {"real"}}
    assert set(train["text"][train["source"] == "synthetic"]) == synthetic


def test_no_text_stands_twice_or_in_two_splits(dataset_folder):
    keys = [fold(text) for split in SPLITS for text in read(dataset_folder, split)["text"]]

    assert len(keys) == len(set(keys))


def test_the_description_agrees_with_the_files(dataset_folder):
    description = json.loads((dataset_folder / "dataset.json").read_text())
    labels = description["labels"]

    assert labels == ["sadness", "joy", "love", "anger", "fear", "surprise"]
    for split in SPLITS:
        rows = read(dataset_folder, split)
        by_label = [int((rows["label"] == index).sum()) for index in range(len(labels))]
        assert list(rows.columns) == ["text", "label", "source"]
        assert description["rows"][split] == rows["source"].value_counts().to_dict()
        assert description["rows_by_label"][split] == dict(zip(labels, by_label, strict=True))
        name = f"{split}.parquet"
        assert description["sha256"][name] == storage.sha256(dataset_folder / name)


def test_merging_again_gives_identical_files(dataset_folder, synthetic_file, tmp_path):
    for _ in range(2):
        returned = merge(MergeSettings(), synthetic_file, tmp_path / "again")
        assert contents(tmp_path / "again") == contents(dataset_folder)

    assert returned == json.loads((dataset_folder / "dataset.json").read_text())


@pytest.fixture
def whole_table(tmp_path):
    """The sample as one table, so that merge has to split it."""
    parts = pd.concat(
        [
            pd.read_csv(storage.fetch(f"package:components.merge/sample/{s}.csv", tmp_path))
            for s in SPLITS
        ]
    )
    path = tmp_path / "all.csv"
    parts.to_csv(path, index=False)
    return path


def test_held_out_rows_do_not_depend_on_the_synthetic_ones(whole_table, tmp_path):
    settings = MergeSettings(dataset=str(whole_table))
    real_text = pd.read_csv(whole_table)["text"][0]
    none = write_synthetic(tmp_path / "none.json", real_text)
    some = write_synthetic(tmp_path / "some.json", "one new text", "another new text", real_text)
    without = merge(settings, none, tmp_path / "without")
    with_them = merge(settings, some, tmp_path / "with")

    assert without["rows"]["train"].keys() == {"real"}
    assert with_them["rows"]["train"]["synthetic"] == 2
    for split in ("validation", "test"):
        name = f"{split}.parquet"
        assert (tmp_path / "without" / name).read_bytes() == (tmp_path / "with" / name).read_bytes()
    train = read(tmp_path / "with", "train")
    real = train[train["source"] == "real"]
    pd.testing.assert_frame_equal(real, read(tmp_path / "without", "train"))


def test_fewer_train_rows_leave_the_held_out_ones_alone(whole_table, synthetic_file, tmp_path):
    settings = MergeSettings(dataset=str(whole_table), max_train_rows=300)
    description = merge(settings, synthetic_file, tmp_path / "small")

    assert description["rows"]["train"]["real"] == 300
    assert description["rows"]["test"]["real"] == 106  # a tenth of 1,056, rounded up
    assert description["rows"]["validation"]["real"] == 95
    by_label = description["rows_by_label"]["validation"].values()
    assert max(by_label) - min(by_label) <= 1


@pytest.mark.parametrize("rows", ["text,label\nhello,happy\n", "words,label\nhello,joy\n", "text"])
def test_a_failing_merge_leaves_no_folder(rows, synthetic_file, tmp_path):
    (tmp_path / "rows.csv").write_text(rows)
    with pytest.raises(InputError, match=r"rows\.csv, all"):
        merge(MergeSettings(dataset=str(tmp_path / "rows.csv")), synthetic_file, tmp_path / "out")

    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_unusable_synthetic_rows_are_refused(tmp_path):
    synthetic = write_synthetic(tmp_path / "synthetic.json", "fine", " ")

    with pytest.raises(InputError, match=r"^synthetic rows: .*synthetic\.json, row 2: the text is"):
        merge(MergeSettings(), synthetic, tmp_path / "out")
    with pytest.raises(InputError, match=r"missing\.json"):
        merge(MergeSettings(), tmp_path / "missing.json", tmp_path / "out")


@pytest.mark.parametrize(
    "choice",
    [
        {"test_fraction": 0.0},
        {"test_fraction": 0.51},
        {"validation_fraction": float("nan")},
        {"max_train_rows": -1},
        {"seed": -1},
        {"seed": 2**31},
        {"dataset": ""},
    ],
)
def test_settings_out_of_range_are_refused(choice):
    with pytest.raises(InputError, match=next(iter(choice))):
        MergeSettings(**choice)


def test_the_published_data_set_is_read_whole_and_cleaned(synthetic_file, tmp_path):
    folder = Path(os.environ.get("EMOTION_DATA", REAL_DATA))
    if folder.is_dir():
        dataset, expected = str(folder), (16000, 2000, 2000)
        removed = {"in_other_split": 16, "conflicting_labels": 60, "repeated": 1}
    else:
        warnings.warn(f"{folder} is absent; testing the embedded sample instead", stacklevel=1)
        dataset, expected = "sample", (738, 106, 212)
        removed = {"in_other_split": 0, "conflicting_labels": 0, "repeated": 0}
    description = merge(MergeSettings(dataset=dataset), synthetic_file, tmp_path / "out")

    counted = description["removed_from_train"]
    real = {split: counts["real"] for split, counts in description["rows"].items()}
    assert {reason: counted[reason] for reason in removed} == removed
    assert (real["train"] + sum(removed.values()), real["validation"], real["test"]) == expected
