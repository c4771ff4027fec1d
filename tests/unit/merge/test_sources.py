import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import datasets
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import InputError
from components.merge.reading.hub_sets import read_hub
from components.merge.reading.sources import fingerprint, locate, read_tables
from components.merge.reading.split_names import WHOLE
from components.merge.reading.tables import read_file
from components.merge.run import merge
from components.merge.settings import MergeSettings

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROWS = [{"text": "a quiet, sunny day", "label": "joy"}, {"text": "NA", "label": "2"}]
PAIRS = [("a quiet, sunny day", "joy"), ("NA", "2")]


def write(path, rows=ROWS):
    """Write rows in the format that the file's name asks for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(rows)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    match path.suffixes[0].lower():
        case ".csv":
            frame.to_csv(path, index=False)
        case ".tsv" | ".txt":
            frame.to_csv(path, index=False, sep="\t")
        case ".jsonl" | ".ndjson":
            path.write_text(lines)
        case ".json":
            path.write_text(json.dumps(rows, indent=1))
        case ".parquet":
            frame.to_parquet(path, index=False)
    return path


def pairs(frame):
    return list(zip(frame["text"], frame["label"], strict=True))


def read(dataset, downloads, revision=""):
    chosen = MergeSettings(dataset=dataset, dataset_revision=revision)
    return read_tables(chosen, locate(chosen, downloads))


@pytest.mark.parametrize(
    "name",
    [
        *("a.csv", "A.CSV", "a.tsv", "a.txt", "a.csv.gz", "a.csv.bz2", "a.tsv.xz"),
        *("a.jsonl", "a.ndjson", "a.json", "a.parquet"),
    ],
)
def test_every_kind_of_file_gives_the_same_rows(name, tmp_path):
    frame = read_file(write(tmp_path / name))

    assert pairs(frame) == PAIRS
    assert list(frame["place"]) == [f"{name}, row 1", f"{name}, row 2"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(name, tmp_path):
    path = write(tmp_path / name)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert pairs(read_file(path)) == PAIRS


def test_json_keeps_texts_that_look_like_dates_and_lone_surrogates(tmp_path):
    texts = ["2020-01-01", "\ud800", "12", "\u2028 a line separator"]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": 1}) + "\n" for text in texts))

    assert pairs(read_file(path)) == [(text, 1) for text in texts]


def test_an_unknown_kind_of_file_is_refused_with_the_known_ones(tmp_path):
    (tmp_path / "rows.xlsx").write_bytes(b"")

    with pytest.raises(InputError, match=r"rows\.xlsx: is of a kind .* \.csv, \.tsv, .*\.json, "):
        read_file(tmp_path / "rows.xlsx")


def test_bytes_that_are_not_utf8_are_named_with_their_line(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes("text,label\nok,joy\ncaf\u00e9,joy\n".encode("latin-1"))

    with pytest.raises(InputError, match=r"rows\.csv, line 3: is not UTF-8 .* Save it as UTF-8"):
        read_file(path)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.csv", "", "is empty: No columns"),
        (
            "a.csv",
            "text,label\nhello, world,joy\n",
            "line 2: has 3 values, more fields than its header",
        ),
        ("a.json", '[{"text": "a"', "is not readable as .json: .*line 1 column 14"),
        ("a.json", "", "is not readable as .json: Expecting value"),
        ("a.json", "null", "one object per row"),
        ("a.json", '[{"text": "a", "label": 1}, 2]', "one object per row"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": \n', "line 2: Expecting value"),
        ("a.jsonl", "[1]\n", "one object per row"),
        ("a.parquet", "text,label\n", "is not readable as .parquet: .*Parquet"),
        ("a.csv.gz", "text,label\n", "is not readable as .csv: Not a gzipped file"),
        ("a.csv.xz", "text,label\n", "is not readable as .csv: .*format"),
    ],
)
def test_a_broken_file_is_named_with_its_fault(name, content, fault, tmp_path):
    (tmp_path / name).write_text(content)

    with pytest.raises(InputError, match=rf"{name}.*{fault}"):
        read_file(tmp_path / name)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"rows\.json: is not readable"):
        read_file(tmp_path / "rows.json")


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train.csv", "validation.csv", "test.csv"], ["train", "validation", "test"]),
        (["Training.jsonl", "val.json", "test.parquet"], ["train", "validation", "test"]),
        (["train.csv", "dev.csv"], ["train", "validation"]),
        (["train.csv", "valid.csv", "README.md"], ["train", "validation"]),
        (["train.csv"], ["train"]),
        (["rows.csv"], [WHOLE]),
    ],
)
def test_a_folder_has_the_splits_that_its_files_are_named_for(names, splits, tmp_path):
    for name in names:
        write(tmp_path / name)

    tables = read(str(tmp_path), tmp_path)
    assert sorted(tables) == sorted(splits)
    assert all(pairs(table) == PAIRS for table in tables.values())


@pytest.mark.parametrize(
    ("first", "second", "split"),
    [
        ("train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "train"),
        ("train/a.csv", "train/b.json", "train"),
        ("train_1.csv", "train_2.tsv", "train"),
        ("monday.csv", "tuesday.json", WHOLE),
    ],
)
def test_files_of_one_split_are_read_one_after_the_other(first, second, split, tmp_path):
    write(tmp_path / second, [{"text": "the last one", "label": "fear"}])
    write(tmp_path / first)

    tables = read(str(tmp_path), tmp_path)
    assert list(tables) == [split]
    assert pairs(tables[split]) == [*PAIRS, ("the last one", "fear")]
    assert list(tables[split]["place"])[1:] == [f"{first}, row 2", f"{second}, row 1"]


@pytest.mark.parametrize("names", [[], ["README.md"], ["validation.csv", "test.csv"]])
def test_a_folder_without_train_rows_is_refused(names, tmp_path):
    for name in names:
        write(tmp_path / name)
        (tmp_path / name).touch()

    with pytest.raises(InputError, match="has neither a train file nor a single table"):
        read(str(tmp_path), tmp_path)


def test_a_data_set_may_be_a_path_or_a_uri(tmp_path):
    path = write(tmp_path / "my rows.csv")

    for dataset in (str(path), path.as_uri()):
        assert pairs(read(dataset, tmp_path)[WHOLE]) == PAIRS
    sample = read("sample", tmp_path)
    named = read("package:components.merge/sample", tmp_path)
    assert {name: pairs(table) for name, table in sample.items()} == {
        name: pairs(table) for name, table in named.items()
    }


def test_an_unknown_scheme_or_a_missing_path_is_refused(tmp_path):
    with pytest.raises(InputError, match="scheme 'https' is not known"):
        read("https://host/rows.csv", tmp_path)
    with pytest.raises(InputError, match="there is no such file or folder"):
        read("./no/such/folder", tmp_path)


@pytest.mark.parametrize("revision", ["", "main", COMMIT[:7], COMMIT.upper()])
def test_a_hub_data_set_without_a_commit_is_refused(revision, tmp_path):
    with pytest.raises(InputError, match=r"dataset_revision=.*owner/name\) is pinned by a commit"):
        read("owner/name", tmp_path, revision)


def test_a_folder_that_looks_like_a_hub_id_needs_no_commit(tmp_path, monkeypatch):
    (tmp_path / "owner" / "name").mkdir(parents=True)
    write(tmp_path / "owner" / "name" / "rows.csv")
    monkeypatch.chdir(tmp_path)

    assert pairs(read("owner/name", tmp_path)[WHOLE]) == PAIRS


def test_a_hub_data_set_on_a_machine_without_the_hub_is_refused_soon(tmp_path):
    program = f"""
from pathlib import Path
from components.merge.settings import MergeSettings
from components.merge.reading.sources import fingerprint, locate, read_tables
chosen = MergeSettings(dataset="owner/name", dataset_revision="{COMMIT}")
read_tables(chosen, locate(chosen, Path(".")))
"""
    started = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "InputError: dataset owner/name: cannot be read from the hub" in result.stderr
    assert time.monotonic() - started < 30


def test_hub_rows_get_the_names_of_their_labels_and_unlabelled_ones_keep_theirs(monkeypatch):
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["sad", "glad"])}
    )
    rows = {"text": ["a", "b", "c"], "label": [1, 0, -1]}
    hub = datasets.DatasetDict(train=datasets.Dataset.from_dict(rows, features=features))
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: hub)
    chosen = MergeSettings(dataset="owner/name", dataset_revision=COMMIT)
    labels = read_tables(chosen, None)["train"]["label"]

    assert list(labels) == ["glad", "sad", -1]


def test_one_of_several_configs_of_the_hub_is_read(tmp_path, monkeypatch):
    """A folder is to the library what a repository of the hub is."""
    home = tmp_path / "owner" / "name"
    configs = ""
    for name in ("emoji", "emotion"):
        write(home / f"{name}.csv", [{"text": f"an {name}", "label": "joy"}])
        configs += f"- {{config_name: {name}, data_files: {name}.csv}}\n"
    (home / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    tables = read_hub("owner/name", COMMIT, ("text", "label"), "emotion")
    assert pairs(tables["train"]) == [("an emotion", "joy")]
    with pytest.raises(InputError, match=r"\['emoji', 'emotion'\].* set merge_options.dataset_con"):
        read_hub("owner/name", COMMIT, ("text", "label"))


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_texts_of_the_hub_that_look_absent_are_texts(kind, tmp_path, monkeypatch):
    texts = ["NA", "null", "None", "nan", "N/A", "#N/A", "so glad"]
    rows = [{"text": text, "label": 1} for text in texts]
    write(tmp_path / "owner" / "name" / f"train.{kind}", rows)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    tables = read_hub("owner/name", COMMIT, ("text", "label"))
    assert pairs(tables["train"]) == [(text, 1) for text in texts]


def test_absent_texts_and_labels_of_the_hub_stay_absent(tmp_path, monkeypatch):
    home = tmp_path / "owner" / "name"
    home.mkdir(parents=True)
    (home / "train.csv").write_text("text,label\n,1\nnone,2\nso glad,\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    rows = read_hub("owner/name", COMMIT, ("text", "label"))["train"]
    assert list(rows["text"].isna()) == [True, False, False]
    assert list(rows["label"].isna()) == [False, False, True]


def test_a_config_is_refused_where_there_are_none(tmp_path):
    with pytest.raises(InputError, match="dataset_config='emotion': names a config, but"):
        MergeSettings(dataset=str(write(tmp_path / "rows.csv")), dataset_config="emotion")
    chosen = MergeSettings(dataset="owner/name", dataset_revision="1", dataset_config="emotion")
    assert chosen.hub_pin == {"revision": "1", "config": "emotion"}


def test_columns_and_labels_may_have_other_names(tmp_path):
    (tmp_path / "rows.csv").write_text("id,tweet,mood,text\n1,so glad,1,no\n2,so low, 0,no\n")
    chosen = MergeSettings(
        dataset=str(tmp_path / "rows.csv"),
        text_column="tweet",
        label_column="mood",
        label_map={"1": "joy", "0": "sadness"},
    )
    tables = read_tables(chosen, locate(chosen, tmp_path))

    assert pairs(tables[WHOLE]) == [("so glad", "joy"), ("so low", "sadness")]


def test_a_missing_column_is_named(tmp_path):
    path = write(tmp_path / "rows.csv")
    chosen = MergeSettings(dataset=str(path), text_column="tweet")

    with pytest.raises(InputError, match=r"lacks the column tweet \(it has \['text', 'label'"):
        read_tables(chosen, locate(chosen, tmp_path))


NAMES = ["joy", "sadness", "anger"]
"""Other names in another order than those of the task."""


def class_labels(**texts):
    """A data set whose ids stand for NAMES, a text of each label in each split."""
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=NAMES)}
    )
    return datasets.DatasetDict(
        {
            split: datasets.Dataset.from_dict(
                {"text": [f"{text} {name}" for name in NAMES], "label": [0, 1, 2]}, features
            )
            for split, text in texts.items()
        }
    )


def expected(text):
    return [(f"{text} {name}", name) for name in NAMES]


def test_parquet_files_keep_the_names_that_the_hub_gives_to_ids(tmp_path):
    saved = class_labels(train="so much", test="such")
    for split, rows in saved.items():
        rows.to_parquet(tmp_path / f"{split}-00000-of-00001.parquet")
    tables = read(str(tmp_path), tmp_path)

    assert pairs(tables["train"]) == expected("so much")
    assert pairs(tables["test"]) == expected("such")
    assert list(tables["test"]["given"]) == [0, 1, 2]


def test_a_folder_of_save_to_disk_is_read_whole_or_by_split(tmp_path):
    class_labels(train="so much", test="such").save_to_disk(tmp_path / "saved")
    folder = tmp_path / "saved"
    tables = read(str(folder), tmp_path)

    assert {name: pairs(table) for name, table in tables.items()} == {
        "train": expected("so much"),
        "test": expected("such"),
    }
    assert pairs(read(str(folder / "test"), tmp_path)[WHOLE]) == expected("such")
    assert list(fingerprint(folder / "test", tables)) == ["data-00000-of-00001.arrow"]


def test_a_fingerprint_names_the_files_that_rows_come_from_in_their_order(tmp_path):
    for name in ("test.json", "train_2.csv", "train_1.json", "about.json"):
        write(tmp_path / "set" / name, [] if name == "about.json" else [{**ROWS[0], "text": name}])
    tables = read(str(tmp_path / "set"), tmp_path)
    one = read(str(tmp_path / "set" / "test.json"), tmp_path)

    named = fingerprint(tmp_path / "set", tables)
    assert list(named) == ["train_1.json", "train_2.csv", "test.json"]
    assert fingerprint(tmp_path / "set" / "test.json", one) == {"test.json": named["test.json"]}


def test_the_card_of_a_cloned_folder_names_its_ids(tmp_path):
    names = "".join(f"          '{n}': {name}\n" for n, name in enumerate(NAMES))
    (tmp_path / "README.md").write_text(
        "---\ndataset_info:\n  features:\n  - name: text\n    dtype: string\n  - name: label\n"
        f"    dtype:\n      class_label:\n        names:\n{names}---\n# Feelings\n"
    )
    write(tmp_path / "data" / "train.csv", [{"text": "so glad", "label": 0}, ROWS[0]])

    assert pairs(read(str(tmp_path), tmp_path)["train"]) == [("so glad", "joy"), PAIRS[0]]


@pytest.mark.parametrize("name", ["rows.zip", "rows.tar.gz"])
def test_an_archive_is_read_as_the_folder_in_it(name, tmp_path):
    write(tmp_path / "in" / "set" / "train.csv")
    write(tmp_path / "in" / "set" / "my_test.csv", [{"text": "the last", "label": "fear"}])
    write(tmp_path / "in" / "__MACOSX" / "set" / "train.csv")
    base, _, kind = name.partition(".")
    shutil.make_archive(tmp_path / base, {"zip": "zip"}.get(kind, "gztar"), tmp_path / "in")
    tables = read(str(tmp_path / name), tmp_path / "downloads")

    assert {split: pairs(table) for split, table in tables.items()} == {
        "train": PAIRS,
        "test": [("the last", "fear")],
    }
    (tmp_path / name).write_text("nothing")
    with pytest.raises(InputError, match="is an archive that cannot be unpacked"):
        read(str(tmp_path / name), tmp_path / "other")


def test_two_files_of_the_same_rows_are_refused(tmp_path):
    rows = [{"text": f"a fine day, {number}", "label": "joy"} for number in range(20)]
    write(tmp_path / "train.csv", rows)
    write(tmp_path / "train (1).csv", [*rows, {"text": "another", "label": "fear"}])

    with pytest.raises(InputError, match=r"train \(1\)\.csv and train\.csv: .* all rows of one"):
        read(str(tmp_path), tmp_path)


@pytest.mark.parametrize(("shared", "is_copy"), [(20, True), (18, True), (17, False)])
def test_a_copy_under_other_labels_is_refused(shared, is_copy, tmp_path):
    days = [f"a fine day, {number}" for number in range(20)]
    write(tmp_path / "a.csv", [{"text": each, "label": "joy"} for each in days])
    others = days[:shared] + [f"a bad day, {number}" for number in range(20 - shared)]
    write(tmp_path / "b.csv", [{"text": each, "label": 1} for each in [*others, *others[:5]]])

    if not is_copy:
        assert len(read(str(tmp_path), tmp_path)[WHOLE]) == 45
        return
    with pytest.raises(InputError, match=r"a\.csv and b\.csv: .* most texts of one are in the"):
        read(str(tmp_path), tmp_path)


def test_few_texts_that_are_in_both_are_no_copy(tmp_path):
    write(tmp_path / "a.csv", [{"text": f"{number}", "label": "joy"} for number in range(9)])
    write(tmp_path / "b.csv", [{"text": f"{number}", "label": "fear"} for number in range(9)])
    assert len(read(str(tmp_path), tmp_path)[WHOLE]) == 18


def test_days_of_which_one_repeats_a_row_of_another_are_read(tmp_path):
    write(tmp_path / "day1.csv", ROWS)
    write(tmp_path / "day2.csv", ROWS[:1])
    assert pairs(read(str(tmp_path), tmp_path)[WHOLE]) == [*PAIRS, PAIRS[0]]


CARD = """---
dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': joy
          '1': sadness
---
"""


@pytest.mark.parametrize("given", ["clone", "clone.zip", "clone/data", "clone/data/train.csv"])
def test_the_card_of_a_clone_names_ids_wherever_its_rows_are_given(given, tmp_path):
    write(tmp_path / "clone/data/train.csv", [{"text": "a fine day", "label": 0}])
    (tmp_path / "clone/README.md").write_text(CARD)
    shutil.make_archive(str(tmp_path / "clone"), "zip", tmp_path, "clone")
    (rows,) = read(str(tmp_path / given), tmp_path / "downloads").values()
    assert pairs(rows) == [("a fine day", "joy")]


def test_a_card_that_names_ids_and_cannot_be_read_is_refused(tmp_path):
    write(tmp_path / "train.csv", ROWS)
    (tmp_path / "README.md").write_text(CARD.replace("class_label:", "class_label: ["))
    with pytest.raises(InputError, match="states the names of labels, but cannot be read"):
        read(str(tmp_path), tmp_path)


@pytest.mark.parametrize("name", ["train.zip", "train.tar.xz", "train.tgz"])
def test_damaged_archives_are_refused(name, tmp_path):
    source = tmp_path / "source"
    write(source / "train.csv", [{"text": f"day {n}", "label": "joy"} for n in range(500)])
    kind = {".zip": "zip", ".xz": "xztar", ".tgz": "gztar"}[Path(name).suffix]
    made = Path(shutil.make_archive(str(tmp_path / "made"), kind, source))
    content = bytearray(made.read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be unpacked|is not readable"):
        read(str(tmp_path / name), tmp_path / "downloads")


def test_saved_splits_without_one_to_train_on_are_refused(tmp_path):
    rows = datasets.Dataset.from_list([{"text": "a fine day", "label": "joy"}])
    datasets.DatasetDict({"test": rows}).save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(InputError, match="has no train split"):
        read(str(tmp_path / "saved"), tmp_path)


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_archive_of_nothing_is_refused(kind, tmp_path):
    (tmp_path / "in").mkdir()
    path = shutil.make_archive(str(tmp_path / "rows"), kind, tmp_path / "in")

    with pytest.raises(InputError, match=r"has neither a train file .*\(found: nothing\)"):
        read(path, tmp_path)


@pytest.mark.parametrize("name", ["train.parquet", "train.csv", "train.jsonl", "train.zip"])
def test_a_pointer_of_git_lfs_is_named(name, tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 12\n"
    (tmp_path / name).write_text(pointer)

    with pytest.raises(InputError, match=rf"{name}: is a pointer of git-lfs.* `git lfs pull`"):
        read(str(tmp_path / name), tmp_path)


@pytest.mark.parametrize("names", [["a.csv"], ["a.csv.gz"], ["a.json", "b.csv"], ["a.jsonl"]])
def test_more_rows_than_memory_should_hold_are_refused(names, tmp_path, monkeypatch):
    for name in names:
        write(tmp_path / "set" / name, [{"text": f"{name} {n % 9}", "label": 1} for n in range(99)])
    for module in ("tables", "sources"):
        monkeypatch.setattr(f"components.merge.reading.{module}.MOST_BYTES", 1000)

    with pytest.raises(InputError, match=r"holds more than .* GiB of rows.*Give a part"):
        read(str(tmp_path / "set"), tmp_path)


def test_the_rows_of_all_files_count_together(tmp_path, monkeypatch):
    for name in ("train_1.csv", "train_2.csv", "test.csv"):
        write(tmp_path / "set" / name, [{"text": f"{name} {n}", "label": 1} for n in range(9)])
    size = (tmp_path / "set" / "train_1.csv").stat().st_size
    monkeypatch.setattr("components.merge.reading.sources.MOST_BYTES", 3 * size)
    assert set(read(str(tmp_path / "set"), tmp_path)) == {"train", "test"}
    monkeypatch.setattr("components.merge.reading.sources.MOST_BYTES", 2 * size)
    with pytest.raises(InputError, match=r"set: holds more than .* GiB of rows"):
        read(str(tmp_path / "set"), tmp_path)


def test_an_archive_of_too_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    write(tmp_path / "in" / "train.csv", [{"text": f"{n}", "label": 1} for n in range(99)])
    path = shutil.make_archive(str(tmp_path / "rows"), "zip", tmp_path / "in")
    monkeypatch.setattr("components.merge.reading.sources.MOST_BYTES", 100)

    with pytest.raises(InputError, match=r"it holds \d+ bytes, more than 100.*give the folder of"):
        read(path, tmp_path / "downloads")


@pytest.mark.parametrize("name", ["more.json", "more.csv"])
def test_a_pointer_of_git_lfs_beside_rows_is_not_left_out(name, tmp_path):
    write(tmp_path / "rows.csv")
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\n")

    with pytest.raises(InputError, match=rf"{name}: is a pointer of git-lfs"):
        read(str(tmp_path), tmp_path)


KINDS = ["a.csv", "a.jsonl", "a.json", "a.parquet", "a.csv.gz", "a.json.xz", "a.tsv.bz2"]
STARTS = [
    b"",
    b"PAR1",
    b"text,label\n",
    b'{"text": ',
    b"[" * 5000,
    b"\x1f\x8b\x08",
    b"BZh9",
    b"\xfd7zXZ\0",
]


@given(st.sampled_from(KINDS), st.sampled_from(STARTS), st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(name, start, content):
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(start + content)
        try:
            read_file(path)
        except InputError as refused:
            assert name in refused.thing


def test_json_lines_may_be_named_json(tmp_path):
    (tmp_path / "rows.json").write_text("".join(json.dumps(row) + "\n" for row in ROWS))

    assert pairs(read_file(tmp_path / "rows.json")) == PAIRS


@pytest.mark.parametrize(
    "error",
    [
        ValueError("Config name is missing.\nPlease pick one among: ['emoji', 'emotion']"),
        RuntimeError("Dataset scripts are no longer supported, but found set.py"),
        datasets.exceptions.DatasetNotFoundError("Dataset 'owner/name' is a gated dataset"),
        datasets.exceptions.DatasetGenerationError("An error occurred"),
        ImportError("To be able to use it, you need to install: zstandard"),
    ],
)
def test_why_the_hub_gives_no_data_set_is_said_in_its_words(error, monkeypatch):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    reason = re.escape(" ".join(str(error).split()))
    with pytest.raises(InputError, match=rf"dataset owner/name: cannot be read .*{reason}"):
        read_tables(MergeSettings(dataset="owner/name", dataset_revision=COMMIT), None)


def test_a_data_set_is_not_written_over_something_else(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(InputError, match=r"holds something else .*dataset\.json"):
        merge(MergeSettings(dataset="no such set"), [], tmp_path)
