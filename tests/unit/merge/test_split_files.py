"""The files of a folder and the splits whose rows they hold."""

import json

import pytest

from components.errors import InputError
from components.merge.reading.split_files import split_files
from components.merge.reading.split_names import WHOLE


def folder(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("text,label\n")
    return root


def names_of(root):
    return {
        split: [file.relative_to(root).as_posix() for file in files]
        for split, files in split_files(root).items()
    }


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("emotions_train.csv", "emotions_val.csv", "emotions_test.csv"),
        ("train_data.csv", "dev_data.csv", "test_data.csv"),
        ("my_train_file.csv", "my_validation_file.csv", "my_test_file.csv"),
        ("TrainData.csv", "validData.tsv", "DATA-TEST.CSV"),
        ("training.csv", "valid.csv", "testing.csv"),
        ("train.txt", "dev.txt", "eval.txt"),
        ("2018-train2.tsv.gz", "2018-dev.tsv.gz", "2018.evaluation.tsv.gz"),
        ("data/train-00000-of-00001.parquet", "data/val-0.parquet", "data/test-0.parquet"),
        ("SemEval2018-train.csv", "SemEval2018-dev.csv", "SemEval2018-test.csv"),
        (
            "\uff54\uff52\uff41\uff49\uff4e.csv",
            "\uff56\uff41\uff4c.csv",
            "\uff54\uff45\uff53\uff54.csv",
        ),
        ("ds/train/a.csv", "ds/validation/a.csv", "ds/test/a.csv"),
    ],
)
def test_a_split_is_a_word_in_the_name_of_a_file_or_its_folder(train, validation, test, tmp_path):
    root = folder(tmp_path, train, validation, test)

    assert names_of(root) == {"train": [train], "validation": [validation], "test": [test]}


@pytest.mark.parametrize(
    "names",
    [
        ("trainset.csv", "testset.csv"),
        ("rows.csv", "testdata.csv"),
        ("rows.csv", "holdout.csv"),
        ("train.csv", "held-out.csv"),
        ("train.csv", "train_test.csv"),
        ("train.csv", "trainval.csv"),
        ("train.csv", "tst.csv"),
        ("train.csv", "development.csv"),
        ("rows.csv", "x_train_df.csv", "xtest.csv"),
    ],
)
def test_a_name_from_which_the_split_is_not_certain_is_refused(names, tmp_path):
    with pytest.raises(InputError, match=r"its splits? (is|are) not certain"):
        split_files(folder(tmp_path, *names))


def test_short_names_of_splits_are_refused_and_those_of_languages_read(tmp_path):
    for pair in [("tr", "te"), ("moodtrain", "moodtest"), ("trainingrows", "testingrows")]:
        names = [f"x_{word}.csv" for word in pair]
        with pytest.raises(InputError, match=rf"are not certain \({', '.join(pair)}\)"):
            split_files(folder(tmp_path / pair[0], *names))
    names = ["en.csv", "tr.csv"]
    assert names_of(folder(tmp_path / "languages", *names)) == {WHOLE: names}


@pytest.mark.parametrize(
    "names",
    [
        ("entrenamiento.csv", "prueba.csv"),
        ("datosEntrenamiento.csv", "datos.csv"),
        ("apprentissage.csv", "essai.csv"),
        ("entraînement.csv", "validation.csv"),
        ("entrai\u0302nement.csv", "rows.csv"),
        ("Trainingsdaten.csv", "Testdaten.csv"),
        ("treino.csv", "teste.csv"),
        ("validação.tsv", "rows.tsv"),
        ("addestramento.csv", "prova.csv"),
        ("训练.csv", "测试.csv"),
        ("情绪训练集.csv", "情绪数据.csv"),
        ("学習データ.csv", "テストデータ.csv"),
        ("훈련.csv", "검증.csv"),
        ("обучение.csv", "тест.csv"),
        ("تدريب.csv", "اختبار.csv"),
        ("प्रशिक्षण.csv", "परीक्षण.csv"),
        ("entrenamiento/a.csv", "prueba/a.csv"),
        ("huấn luyện.csv", "kiểm tra.csv"),
        ("huan_luyen.csv", "kiem-tra.csv"),
        ("kiểm_tra.csv", "rows.csv"),
        ("antrenare.csv", "testare.csv"),
        ("tanító.csv", "teszt.csv"),
        ("opetus.csv", "testi.csv"),
        ("oefen.csv", "toets.csv"),
        ("træning.csv", "afprøvning.csv"),
        ("rows.csv", "afprøvning.csv"),
        ("traening.csv", "rows.csv"),
        ("učenje.csv", "provjera.csv"),
        ("opleidingsdata.csv", "rows.csv"),
        ("Validierung.csv", "rows.csv"),
    ],
)
def test_a_word_for_a_split_in_another_language_is_refused(names, tmp_path):
    with pytest.raises(InputError, match=r"its split is not certain.*Put train, valid|in several"):
        split_files(folder(tmp_path, *names))
    assert names_of(folder(tmp_path / "alone", names[0])) == {WHOLE: [names[0]]}


@pytest.mark.parametrize(
    ("names", "is_told"),
    [
        (("twitter.csv", "reddit.csv"), True),
        (("alte.csv", "neue.csv"), True),
        (("2019.csv", "2020.csv"), False),
        (("part-00000-of-00002.csv", "part-00001-of-00002.csv"), False),
        (("rows_a.csv", "rows_b.csv"), False),
        (("rows.csv",), False),
    ],
)
def test_files_that_become_one_table_are_told_unless_numbers_part_them(
    names, is_told, tmp_path, caplog
):
    assert names_of(folder(tmp_path, *names)) == {WHOLE: sorted(names)}
    told = f"read as one table, since no name has a split: {', '.join(sorted(names))}"
    assert (told in caplog.text) == is_told


def test_words_that_merely_hold_a_split_are_none(tmp_path):
    names = ["contest.csv", "latest.csv", "protest.csv", "retrieval.csv", "trainer.csv"]
    names = [*names, "SemEval2018.csv", "essays.csv", "proven.csv", "validated.csv"]
    names = [*names, "avaliacoes.csv", "evaluaciones.csv", "评估.csv", "opleidingen.csv"]
    names = sorted([*names, "essais.csv", "validiert.csv", "testimonials.csv", "toetsenbord.csv"])
    assert names_of(folder(tmp_path, *names)) == {WHOLE: names}


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("all.csv", "splits/train.csv", "splits/test.csv"), "has rows in itself .* and below it"),
        (("train.csv", "test/data.csv"), "has rows in itself .* and below it"),
        (("train.csv", "test.csv.zip"), "names a split, but is of a kind that is not read"),
        (("train.csv", "test.xlsx"), "names a split, but is of a kind that is not read"),
    ],
)
def test_no_split_is_left_out_without_a_word(names, why, tmp_path):
    with pytest.raises(InputError, match=why):
        split_files(folder(tmp_path, *names))


@pytest.mark.parametrize("name", ["latest.csv", "trainset.csv", "train_test.csv", "rows.csv"])
def test_a_file_alone_is_one_table(name, tmp_path):
    assert names_of(folder(tmp_path, name)) == {WHOLE: [name]}


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (("train.csv", "train.parquet"), "have the same name, that of train, in two kinds"),
        (("rows.csv", "rows.csv.gz"), "have the same name in two kinds"),
        (("train.csv", "test.csv", "eval.csv"), "all name the test split in different ways"),
        (("data/train/a.csv", "data/train.csv"), "all name the train split in different ways"),
        (("raw/train.csv", "small/train.csv"), r"in several folders \(raw, small\)"),
        (("rows.csv", "rows_test.csv"), "found: rows.csv of no split, rows_test.csv as test"),
        (("rows.zip", "README.md"), "found: README.md, rows.zip"),
    ],
)
def test_files_that_cannot_all_be_meant_are_refused(names, fault, tmp_path):
    with pytest.raises(InputError, match=fault):
        split_files(folder(tmp_path, *names))


def test_what_holds_no_rows_is_left_out(tmp_path):
    root = folder(
        tmp_path,
        *("rows.csv", "._rows.csv", ".cache/rows.csv", "__MACOSX/rows.csv", "~$rows.csv"),
        "README.txt",
    )
    (root / "dataset_infos.json").write_text(json.dumps({"default": {}}))
    (root / "categories.json").write_text(json.dumps(["joy", "fear"]))

    assert names_of(root) == {WHOLE: ["rows.csv"]}


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (("train.csv", "test.csv"), ("test_predictions.csv", "eval_results.json")),
        (("train.csv",), ("train_history.csv", "train-loss.tsv", "test_scores.jsonl")),
        (("train.csv",), ("runs/eval/train.csv", "checkpoint-500/test.csv", "tests/test.csv")),
        (("rows.csv",), ("test_ids.csv", "train_ids.csv", "output/2/dev.csv")),
        (("train.csv",), ("test_results/a.csv", "eval-logs/2.csv")),
        (("train_args.csv", "test.csv"), ()),
        (("train_scores.csv", "test_scores.csv"), ()),
        (("outputs/train.csv", "outputs/test.csv"), ()),
        (("train_logged.csv", "test_statement.csv"), ()),
    ],
)
def test_what_a_training_leaves_is_not_read_and_named(names, left, tmp_path, caplog):
    found = names_of(folder(tmp_path, *names, *left))

    assert {name for files in found.values() for name in files} == set(names)
    told = "not read, since its name is that of a training's output"
    assert caplog.text.count(told) == len(left)
    assert all(f"{told}: {tmp_path / each}" in caplog.text for each in left)


def test_tests_beside_train_are_not_taken_for_those_of_a_project(tmp_path):
    with pytest.raises(InputError, match=r"rows in several folders \(\., tests\)"):
        split_files(folder(tmp_path, "train/a.csv", "tests/a.csv"))


def test_a_packed_file_of_a_training_is_no_split(tmp_path):
    assert names_of(folder(tmp_path, "train.csv", "cache-test.arrow")) == {"train": ["train.csv"]}


@pytest.mark.parametrize(
    ("content", "is_table"),
    [
        ("pytest>=8\nruff\n", False),
        ("All went well, it seems.\nThe end.\n", False),
        ("", False),
        ("text|label\n\na fine day|joy\n", True),
        ("so glad;joy\nso low;sadness\nall fine;joy\nno: sad\nat last;joy\n", True),
    ],
)
def test_a_text_file_counts_if_its_lines_have_columns(content, is_table, tmp_path, caplog):
    (folder(tmp_path, "train.csv") / "requirements-dev.txt").write_text("a,b\n")
    (tmp_path / "test.txt").write_text(content)

    assert names_of(tmp_path).get("test", []) == ["test.txt"] * is_table
    assert ("since it is no table" in caplog.text) != is_table


def card(root, *entries):
    root.mkdir(parents=True, exist_ok=True)
    files = [{"split": split, "path": path} for split, path in entries]
    configs = json.dumps([{"config_name": "default", "data_files": files}])
    (root / "README.md").write_text(f"---\nconfigs: {configs}\n---\n# Feelings\n")


@pytest.mark.parametrize("home", ["set", "set/data"])
def test_the_card_gives_splits_to_files_whose_names_have_none(home, tmp_path):
    card(tmp_path / "set", ("train", ["data/a*.csv", "**/b.csv"]), ("test", "data/trainset.csv"))
    folder(tmp_path / "set/data", "a1.csv", "a2.csv", "b.csv", "trainset.csv")

    found = split_files(tmp_path / home)
    assert {split: [file.name for file in files] for split, files in found.items()} == {
        "train": ["a1.csv", "a2.csv", "b.csv"],
        "test": ["trainset.csv"],
    }


def test_a_card_that_agrees_or_gives_no_splits_changes_nothing(tmp_path):
    folder(tmp_path, "train.csv", "dev.csv")
    card(tmp_path, ("train", "train.csv"), ("validation", "dev*"))
    assert names_of(tmp_path) == {"train": ["train.csv"], "validation": ["dev.csv"]}
    (tmp_path / "README.md").write_text("---\nconfigs:\n- data_files: dev.csv\n---\n")
    assert names_of(tmp_path) == {"train": ["train.csv"], "validation": ["dev.csv"]}
    (tmp_path / "README.md").write_text("---\nconfigs: [data_files\n---\n")
    assert names_of(tmp_path) == {"train": ["train.csv"], "validation": ["dev.csv"]}


@pytest.mark.parametrize(
    ("names", "entries", "fault"),
    [
        (
            ("train.csv", "test.csv"),
            [("train", "test.csv"), ("test", "train.csv")],
            r"test\.csv: is given to train by the card, while its name is that of test",
        ),
        (
            ("train.csv", "dev.csv"),
            [("train", "*.csv")],
            r"dev\.csv: is given to train by the card, while its name is that of validation",
        ),
        (
            ("a.csv", "b.csv"),
            [("test", "b.csv")],
            r"b\.csv: is given to test by the card, while its name has no split, and not all",
        ),
    ],
)
def test_a_card_that_gives_a_file_to_another_split_is_refused(names, entries, fault, tmp_path):
    card(tmp_path, *entries)

    with pytest.raises(InputError, match=rf"{fault}.*Name the files by their splits"):
        split_files(folder(tmp_path, *names))
