import pandas as pd
import pytest

from components.checks import InputError
from components.merge.clean import checked, clean_synthetic, clean_train
from components.task import load_task

TASK = load_task("emotion")


def raw(*rows):
    frame = pd.DataFrame(rows, columns=["text", "label"])
    return frame.assign(place=[f"rows.csv, row {n}" for n in range(1, len(rows) + 1)])


def table(*rows):
    return pd.DataFrame(rows, columns=["text", "label"])


@pytest.mark.parametrize(
    ("label", "expected"),
    [("joy", 1), (" JOY ", 1), ("Surprise", 5), (0, 0), ("5", 5), (2.0, 2), ("3.0", 3)],
)
def test_a_label_is_a_name_in_any_case_or_an_id(label, expected):
    rows = checked(raw(("  some text\n", label)), TASK, "train")

    assert rows.to_dict("records") == [{"text": "some text", "label": expected}]
    assert rows["label"].dtype == "int64"


@pytest.mark.parametrize("label", ["happy", "", "6", -1, 1.5, None, float("nan"), True, "joy,love"])
def test_an_unknown_label_is_named_with_its_row(label):
    with pytest.raises(InputError) as refused:
        checked(raw(("fine", "joy"), ("some text", label)), TASK, "train")

    assert refused.value.rule == (
        f"has rows that cannot be used: rows.csv, row 2: label {label!r} is unknown"
    )
    assert "sadness, joy, love, anger, fear, surprise" in refused.value.fix


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the text is empty"),
        (" \n\t", "the text is empty"),
        (None, "the text is empty"),
        (float("nan"), "the text is empty"),
        (12, "the text is empty"),
        ("lone \ud83d surrogate", "the text is not valid Unicode"),
        ("a" * 100_001, "the text is longer than 100000 characters"),
    ],
)
def test_an_unusable_text_is_named_with_its_row_and_reason(text, reason):
    with pytest.raises(InputError, match=f"^train: .* used: rows.csv, row 2: {reason}"):
        checked(raw(("fine", "joy"), (text, "joy")), TASK, "train")


def test_five_faults_are_shown_and_the_others_counted():
    with pytest.raises(InputError) as refused:
        checked(raw(("fine", "joy"), *[("", "joy")] * 8), TASK, "train")

    assert refused.value.rule.count("the text is empty") == 5
    assert "row 2:" in refused.value.rule
    assert "row 6:" in refused.value.rule
    assert refused.value.rule.endswith(" and 3 more")


def test_exactly_five_faults_are_all_shown():
    with pytest.raises(InputError) as refused:
        checked(raw(*[("", "joy")] * 5), TASK, "train")

    assert "more" not in refused.value.rule


@pytest.mark.parametrize("column", ["text", "label"])
def test_a_missing_column_is_named(column):
    with pytest.raises(InputError, match=rf"^train: lacks the column {column} \(it has \['old', "):
        checked(
            raw(("fine", "joy"))
            .rename(columns={column: "old"})[["old", "place"]]
            .assign(**{({"text", "label"} - {column}).pop(): "joy"}),
            TASK,
            "train",
        )


def test_leaks_conflicts_and_repeats_leave_train_and_are_counted():
    held_out = table(("It rains!", 0), ("so long", 1))
    train = table(
        ("it rains", 0),  # in another split
        ("IT RAINS", 1),  # in another split, counted there though it conflicts too
        ("a tie", 2),  # conflicts
        ("A tie.", 3),  # conflicts
        ("a tie", 3),  # conflicts
        ("twice", 4),
        ("Twice?", 4),  # repeats
        ("twice!", 4),  # repeats
        ("once", 5),
    )
    kept, removed = clean_train(train, held_out)

    assert kept.to_dict("list") == {"text": ["twice", "once"], "label": [4, 5]}
    assert list(kept.index) == [0, 1]
    assert removed == {"in_other_split": 2, "conflicting_labels": 3, "repeated": 2}


def test_clean_rows_stay_as_they_are():
    train = table(("one", 0), ("two", 1))
    kept, removed = clean_train(train, table(("three", 0)))

    pd.testing.assert_frame_equal(kept, train)
    assert set(removed.values()) == {0}


def test_synthetic_copies_of_real_texts_and_repeats_are_removed():
    real = table(("It rains!", 0), ("so long", 1))
    synthetic = table(("it rains", 0), ("So long.", 2), ("new", 1), ("New!", 1), ("newer", 1))
    kept, removed = clean_synthetic(synthetic, real)

    assert list(kept["text"]) == ["new", "newer"]
    assert removed == {"synthetic_copies_real": 2, "synthetic_repeated": 1}
