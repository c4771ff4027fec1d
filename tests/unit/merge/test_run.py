import json
import math
import os
import shutil
import warnings
from pathlib import Path

import pandas as pd
import pytest

from components import storage
from components.artifacts.dataset import SPLITS, read_description
from components.artifacts.model.encoder import SentenceEncoder
from components.artifacts.task import load_task
from components.errors import InputError
from components.merge.agreement import filter_labels
from components.merge.audit import Audit
from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.texts import fold

REAL_DATA = Path(__file__).parents[4] / "shared" / "data" / "emotion"


def read(folder, split):
    return pd.read_parquet(folder / f"{split}.parquet")


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def write_rows(folder, rows, model="llm"):
    folder.mkdir()
    rows = [{"text": text, "label": label, "model": model} for text, label in rows]
    (folder / "synthetic_emotions.json").write_text(json.dumps(rows))
    return folder


def write_synthetic(folder, *texts):
    return write_rows(folder, [(text, "joy") for text in texts])


def test_a_branch_that_gave_nothing_adds_nothing(synthetic_file, dataset_folder, tmp_path):
    empty, page = write_rows(tmp_path / "empty", []), tmp_path / "report.html"
    merged = merge(MergeSettings(), [synthetic_file.parent, empty], tmp_path / "out", report=page)
    assert merged.rows == read_description(dataset_folder).rows
    merge(MergeSettings(), [empty], tmp_path / "real", report=page)


def test_what_a_judge_sees_stays_with_its_row(tmp_path):
    folder = write_synthetic(tmp_path / "synthetic", "what a day it was", "so glad it is over now")
    rows = json.loads((folder / "synthetic_emotions.json").read_text())
    rows[1]["label_probabilities"] = {"joy": 0.75, "surprise": 0.25}
    (folder / "synthetic_emotions.json").write_text(json.dumps(rows))

    merge(MergeSettings(min_agreement=0), [folder], tmp_path / "out")

    train = read(tmp_path / "out", "train").set_index("text")["label_probabilities"]
    assert list(train["so glad it is over now"]) == [0, 0.75, 0, 0, 0, 0.25]
    assert train.notna().sum() == 1
    assert "label_probabilities" not in read(tmp_path / "out", "test")


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
        returned = merge(MergeSettings(), [synthetic_file.parent], tmp_path / "again")
        assert contents(tmp_path / "again") == contents(dataset_folder)

    assert returned == read_description(dataset_folder)


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
    none = write_synthetic(tmp_path / "none", real_text)
    some = write_synthetic(tmp_path / "some", "one new text", "another new text", real_text)
    without = merge(settings, [none], tmp_path / "without")
    with_them = merge(settings, [some], tmp_path / "with")

    assert without.rows["train"].keys() == {"real"}
    assert with_them.rows["train"]["synthetic"] == 2
    for split in ("validation", "test"):
        name = f"{split}.parquet"
        assert (tmp_path / "without" / name).read_bytes() == (tmp_path / "with" / name).read_bytes()
    train = read(tmp_path / "with", "train")
    real = train[train["source"] == "real"]
    pd.testing.assert_frame_equal(real, read(tmp_path / "without", "train"))


def test_fewer_train_rows_leave_the_held_out_ones_alone(whole_table, synthetic_file, tmp_path):
    settings = MergeSettings(dataset=str(whole_table), max_train_rows=300)
    description = merge(settings, [synthetic_file.parent], tmp_path / "small")

    assert description.rows["train"]["real"] == 300
    assert description.rows["test"]["real"] == 106  # a tenth of 1,056, rounded up
    assert description.rows["validation"]["real"] == 95
    by_label = description.rows_by_label["validation"].values()
    assert max(by_label) - min(by_label) <= 1


@pytest.mark.parametrize("rows", ["text,label\nhello,happy\n", "words,label\nhello,joy\n", "text"])
def test_a_failing_merge_leaves_no_folder(rows, synthetic_file, tmp_path):
    (tmp_path / "rows.csv").write_text(rows)
    with pytest.raises(InputError, match=r"rows\.csv(, all)?: "):
        merge(
            MergeSettings(dataset=str(tmp_path / "rows.csv")),
            [synthetic_file.parent],
            tmp_path / "out",
        )

    assert {path.name for path in tmp_path.iterdir()} <= {"rows.csv", "problems.csv"}


def test_unusable_synthetic_rows_are_refused(tmp_path):
    synthetic = write_synthetic(tmp_path / "llm", "fine", " ")

    with pytest.raises(InputError, match=r"^synthetic rows of .*_1, .*\.json, row 2: the text is"):
        merge(MergeSettings(), [synthetic], tmp_path / "out")
    with pytest.raises(InputError, match=r"missing/synthetic_emotions\.json"):
        merge(MergeSettings(), [tmp_path / "missing"], tmp_path / "out")


def test_a_poisoned_batch_is_caught_by_kind(dataset_folder, tmp_path):
    test, train = read(dataset_folder, "test"), read(dataset_folder, "train")
    long = [text for text in test["text"] if len(text.split()) >= 11][:3]
    copied = [text for text in test["text"] if text not in long][:4]
    rows = [(text.upper(), "joy") for text in copied]
    rows += [(f"{text} okay", "joy") for text in long]
    rows += [("What a lovely bright morning this is!", "joy")] * 6
    rows += [(train["text"][0], "joy")]
    first = write_rows(tmp_path / "one", rows)
    second = write_rows(tmp_path / "two", [rows[-2], ("Everything went so well.", "joy")])
    page = tmp_path / "report.html"
    merged = merge(MergeSettings(min_agreement=0), [first, second], tmp_path / "out", report=page)

    caught = {why: n for why, n in merged.removed.items() if n}
    assert caught == {
        "synthetic_in_other_split": 4,
        "synthetic_near_other_split": 3,
        "synthetic_repeated": 5,
        "synthetic_in_other_source": 1,
        "synthetic_copies_real": 1,
    }
    assert all(why.replace("_", " ") in page.read_text() for why in caught)
    assert merged.rows["train"]["synthetic"] == 2
    with pytest.raises(InputError, match=r"7 of \d+ train rows.*max_leak_share=0\.001"):
        merge(MergeSettings(max_leak_share=0.001), [first, second], tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "problems.csv")) == 7


def test_the_description_and_the_report_say_what_was_read_as_what(tmp_path):
    words = ("alpha", "brook", "cedar", "delta", "ember")
    rows = [(f"{one} {other} day", n % 2) for n in range(2) for one in words for other in words]
    rows = [(f"{text} {label}", float(label)) for text, label in rows]
    data = tmp_path / "data"
    data.mkdir()
    frame = pd.DataFrame([*rows, *rows[:9]], columns=["text", "label"])
    frame.to_csv(data / "my_train.csv", index=False)
    settings = MergeSettings(dataset=str(data), label_map={"0": "joy", "1": "fear"})
    merged = merge(settings, [], tmp_path / "out", report=tmp_path / "report.html")

    assert merged.sources[0]["files"] == {"train": {"my_train.csv": 59}}
    assert merged.sources[0]["labels"] == {"joy": {"0.0": 34}, "fear": {"1.0": 25}}
    assert {why: count for why, count in merged.removed.items() if count} == {"repeated": 9}
    assert sum(rows["real"] for rows in merged.rows.values()) == 50
    page = " ".join((tmp_path / "report.html").read_text().split())
    assert 'my_train.csv <span class="note">59</span>' in page
    assert '1.0 <span class="note">25</span>' in page


def test_a_table_full_of_near_copies_is_split_without_a_leak(whole_table, tmp_path):
    rows = pd.read_csv(whole_table)
    long = rows[rows["text"].str.split().str.len() > 20].head(100)
    copies = long.assign(text=long["text"] + " again")
    pd.concat([rows, copies]).to_csv(tmp_path / "rows.csv", index=False)
    merged = merge(MergeSettings(dataset=str(tmp_path / "rows.csv")), [], tmp_path / "out")

    assert merged.removed["near_repeated"] == len(copies) == 100
    assert merged.checks["leak_share"]["value"] == 0
    assert sum(part["real"] for part in merged.rows.values()) == len(rows)


def test_a_shifted_test_split_is_refused_or_allowed(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for split in SPLITS:
        shutil.copy(storage.fetch(f"package:components.merge/sample/{split}.csv", tmp_path), data)
    rows = pd.read_csv(data / "test.csv")
    rows[rows["label"] != "joy"].to_csv(data / "test.csv", index=False)

    with pytest.raises(InputError, match=r"labels of test against train: differ .* joy -16"):
        merge(MergeSettings(dataset=str(data)), [], tmp_path / "out")
    choice = MergeSettings(dataset=str(data), max_label_shift=0.2)
    checks = merge(choice, [], tmp_path / "out").checks
    assert checks["label_shift_test"]["passed"]


@pytest.mark.parametrize("has_test", [True, False])
def test_the_pooled_recipe_is_marked_as_optimistic(has_test, whole_table, tmp_path):
    extra = [(f"{word} day number {n}", "joy") for n, word in enumerate(["good"] * 50)]
    folder = write_rows(tmp_path / "llm", extra)
    dataset = "sample" if has_test else str(whole_table)
    settings = MergeSettings(dataset=dataset, pool=True, max_leak_share=1, min_agreement=0)
    merged = merge(settings, [folder], tmp_path / "out")

    validation, test = (read(tmp_path / "out", split) for split in ("validation", "test"))
    assert "synthetic" in set(validation["source"])
    assert test.equals(validation) != has_test
    assert merged.optimistic_validation is True
    assert "flatter" in merged.optimistic_validation_reason
    pooled = 1056 + 50 - (212 if has_test else 0)
    assert len(validation) == math.ceil(pooled / 10)


def test_doubtful_rows_may_weigh_less(synthetic_file, tmp_path):
    settings = MergeSettings(agreement_action="weight", sample_weights=True, min_agreement=0.3)
    merged = merge(settings, [synthetic_file.parent], tmp_path / "out")
    train = read(tmp_path / "out", "train")
    low = train[train["weight"] < 1]

    assert list(train.columns) == ["text", "label", "source", "weight"]
    assert set(low["source"]) == {"synthetic"}
    assert (train["weight"] > 0).all()
    assert len(low) == merged.agreement["low_rows"] > 0
    assert list(read(tmp_path / "out", "test").columns) == ["text", "label", "source"]


def test_wrong_labels_are_dropped_far_more_often_than_right_ones(dataset_folder, tmp_path):
    rows = read(dataset_folder, "train").query("source == 'real'").reset_index(drop=True)
    half = rows.sample(frac=0.5, random_state=0)
    rest = rows.drop(half.index).assign(origin="llm", model="llm", source="synthetic")
    dropped = []
    for shift in (0, 1):
        moved = rest.assign(label=(rest["label"] + shift) % 6)
        audit = Audit(load_task("emotion").names, tmp_path / "problems.csv")
        train = pd.concat([half.assign(model=""), moved], ignore_index=True)
        filter_labels(train, MergeSettings(min_agreement=0.07), audit)
        dropped.append(audit.removed["synthetic_low_agreement"])

    assert dropped[1] > 3 * max(1, dropped[0])


def test_an_encoder_tells_wrong_labels_from_right_ones(dataset_folder, encoder_folder, tmp_path):
    rows = read(dataset_folder, "train").query("source == 'real'").reset_index(drop=True)
    half = rows.sample(frac=0.5, random_state=0)
    rest = rows.drop(half.index).assign(origin="llm", model="llm", source="synthetic")
    encoder = SentenceEncoder(encoder_folder)
    shares = []
    for embed in (None, encoder):
        audit = Audit(load_task("emotion").names, tmp_path / "problems.csv")
        train = pd.concat([half.assign(model=""), rest], ignore_index=True)
        _, found = filter_labels(train, MergeSettings(), audit, embed)
        shares.append(found["by_model"]["llm"]["agree_share"])
        accuracy = found["classifier_accuracy"]
    assert shares[1] > shares[0] + 0.2
    assert accuracy > 0.65


def test_the_report_of_a_merge_with_an_encoder_shows_meaning(
    synthetic_file, encoder_folder, tmp_path
):
    settings = MergeSettings(encoder=str(encoder_folder), max_train_rows=60)
    merge(settings, [synthetic_file.parent], tmp_path / "out", report=tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Vendi score" in page
    assert "embeddings; 1 means the same meaning" in page


def test_unknown_targets_of_a_label_map_are_refused(tmp_path):
    with pytest.raises(InputError, match="label_map: maps to happiness, which the task emotion"):
        merge(MergeSettings(label_map={"1": "happiness"}), [], tmp_path / "out")


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
        {"text_column": ""},
        {"text_column": "label"},
        {"label_map": {"1": ""}},
        {"synthetic_per_label": -1},
        {"max_synthetic_share": 1.1},
        {"min_agreement": -0.1},
        {"agreement_action": "ignore"},
        {"agreement_action": "weight"},
        {"synthetic_weight": 2.0},
        {"weighting": "importance"},
        {"weighting": "guess", "sample_weights": True},
        {"synthetic_weight": 0.0, "sample_weights": True},
        {"pool": True, "top_up": True},
        {"leak_similarity": 0.5},
        {"max_leak_share": 2},
        {"max_label_shift": -1},
        {"max_invalid_share": 0.6},
        {"max_characters": 0},
    ],
)
def test_settings_out_of_range_are_refused(choice):
    with pytest.raises(InputError, match=next(iter(choice))):
        MergeSettings(**choice)


def test_the_published_data_set_is_read_whole_and_cleaned(synthetic_file, tmp_path):
    folder = Path(os.environ.get("EMOTION_DATA", REAL_DATA))
    if folder.is_dir():
        dataset, expected = str(folder), (16000, 2000, 2000)
        removed = {
            "in_other_split": 16,
            "near_other_split": 3,
            "conflicting_labels": 60,
            "repeated": 1,
        }
    else:
        warnings.warn(f"{folder} is absent; testing the embedded sample instead", stacklevel=1)
        dataset, expected = "sample", (738, 106, 212)
        removed = {"in_other_split": 0, "conflicting_labels": 0, "repeated": 0}
    description = merge(MergeSettings(dataset=dataset), [synthetic_file.parent], tmp_path / "out")

    counted = description.removed_from_train
    real = {split: counts["real"] for split, counts in description.rows.items()}
    assert {reason: counted[reason] for reason in removed} == removed
    assert (real["train"] + sum(removed.values()), real["validation"], real["test"]) == expected
