import pandas as pd
import pytest

from components.artifacts.task import load_task
from components.errors import InputError
from components.merge.audit import REASONS, Audit
from components.merge.clean import (
    checked,
    clean_train,
    remove_leaks,
    remove_near_copies,
    remove_repeats,
)
from components.merge.settings import MergeSettings
from components.texts import first_matches, near_matches, word_pairs

TASK = load_task("emotion")
TEXT = "the long road home was quiet and the river lay still under a pale winter moon tonight"


@pytest.fixture
def audit(tmp_path):
    return Audit(TASK.names, tmp_path / "problems.csv")


def table(*rows, source="real", origin="train"):
    frame = pd.DataFrame(rows, columns=["text", "label"])
    place = [f"rows.csv, row {n}" for n in range(1, len(rows) + 1)]
    return frame.assign(place=place, source=source, origin=origin, model="")


def joined(*frames):
    return pd.concat(frames, ignore_index=True)


def removed(audit):
    return dict(+audit.removed)


def check(rows, audit, **choice):
    return checked(rows, TASK, "train", MergeSettings(**choice), audit)


@pytest.mark.parametrize(
    ("label", "expected"),
    [("joy", 1), (" JOY ", 1), ("Surprise", 5), (0, 0), ("5", 5), (2.0, 2), ("3.0", 3)],
)
def test_a_label_is_a_name_in_any_case_or_an_id(label, expected, audit):
    rows = check(table(("  some text\n", label)), audit)

    assert rows[["text", "label"]].to_dict("records") == [{"text": "some text", "label": expected}]
    assert rows["label"].dtype == "int64"


@pytest.mark.parametrize("label", ["happy", "", "6", -1, 1.5, None, float("nan"), True, "joy,love"])
def test_an_unknown_label_is_named_with_its_row(label, audit):
    with pytest.raises(InputError) as refused:
        check(table(("fine", "joy"), ("some text", label)), audit)

    shown = refused.value.rule
    assert shown.startswith("has rows that cannot be used: rows.csv, row 2: label ")
    assert shown.endswith("is unknown")
    assert "sadness, joy, love, anger, fear, surprise" in refused.value.fix


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the text is empty"),
        (" \n\t", "the text is empty"),
        (None, "the text is empty"),
        (float("nan"), "the text is empty"),
        (12, "the text is no text, but of type int: 12"),
        (b"so glad", "the text is no text, but of type bytes: b'so glad'"),
        ("lone \ud83d surrogate", "the text is not valid Unicode"),
        ("a" * 5001, "the text is longer than 5000 characters"),
    ],
)
def test_an_unusable_text_is_named_and_written_down(text, reason, audit):
    with pytest.raises(InputError, match=f"^train: .* used: rows.csv, row 2: {reason}"):
        check(table(("fine", "joy"), (text, "joy")), audit)

    found = pd.read_csv(audit.problems)
    assert found[["check", "place", "reason"]].to_numpy().tolist() == [
        ["invalid_share_train", "rows.csv, row 2", reason]
    ]


def test_five_faults_are_shown_and_all_written(audit):
    with pytest.raises(InputError) as refused:
        check(table(("fine", "joy"), *[("", "joy")] * 8), audit)

    assert refused.value.rule.count("the text is empty") == 5
    assert refused.value.rule.endswith(" and 3 more")
    assert len(pd.read_csv(audit.problems)) == 8


def test_a_share_of_invalid_rows_may_be_dropped(audit):
    rows = table(("fine", "joy"), ("", "joy"), ("good", "happy"), ("well", "joy"))

    with pytest.raises(InputError, match="max_invalid_share"):
        check(rows, audit, max_invalid_share=0.49)
    assert list(check(rows, audit, max_invalid_share=0.5)["text"]) == ["fine", "well"]
    assert removed(audit) == {"invalid": 2}
    assert audit.checks["invalid_share_train"] == {"value": 0.5, "limit": 0.5, "passed": True}


def test_longer_texts_may_be_allowed(audit):
    assert len(check(table(("a" * 5001, "joy")), audit, max_characters=5001)) == 1


def test_contradictions_repeats_and_copies_of_real_texts_leave_train(audit):
    real = table(
        ("a tie", 2), ("A tie.", 3), ("a tie", 3), ("twice", 4), ("Twice!", 4), ("once", 5)
    )
    extra = table(("Once!", 5), ("A TIE", 0), ("new", 1), source="synthetic")
    kept = clean_train(joined(real, extra), audit)

    assert list(kept["text"]) == ["twice", "once", "new"]
    assert list(kept.index) == [0, 1, 2]
    assert removed(audit) == {"conflicting_labels": 3, "repeated": 1, "synthetic_copies_real": 2}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{TEXT} \U0001f642", f"{TEXT} \U0001f621"),
        (f"{TEXT} मेरा बेटा बीमार है", f"{TEXT} मेरी बेटा बीमार है"),
        (TEXT, TEXT.replace("tonight", "never")),
        (f"{TEXT}!", f"{TEXT}?"),
        (f"{TEXT} $5", f"{TEXT} €5"),
        (f"{TEXT} c++", f"{TEXT} c#"),
    ],
)
def test_real_texts_that_differ_in_what_decides_their_label_stay(one, other, audit):
    train = joined(table((other, 1)), table((other, 1), source="synthetic"))
    kept = remove_leaks(train, table((one, 0)), MergeSettings(max_leak_share=1), audit)

    assert list(zip(kept["text"], kept["source"], strict=True)) == [(other, "real")]
    assert removed(audit) == {"synthetic_near_other_split": 1}
    assert remove_leaks(train, table((one, 1)), MergeSettings(max_leak_share=1), audit).empty
    assert len(remove_near_copies(table((one, 0), (other, 1)), MergeSettings(), audit)) == 2


def test_leaks_are_removed_by_kind(audit):
    near = TEXT.replace("tonight", "today")
    train = joined(
        table((TEXT.upper(), 0), (near, 0), ("something else", 1)),
        table((TEXT, 0), (near, 0), source="synthetic"),
    )
    held_out = table(("first", 0), (TEXT, 0))
    kept = remove_leaks(train, held_out, MergeSettings(max_leak_share=0.8), audit)

    assert list(kept["text"]) == ["something else"]
    assert removed(audit) == {
        "in_other_split": 1,
        "near_other_split": 1,
        "synthetic_in_other_split": 1,
        "synthetic_near_other_split": 1,
    }
    with pytest.raises(
        InputError, match=r"4 of 5 .* row 2: is nearly the same as rows\.csv, row 2"
    ):
        remove_leaks(train, held_out, MergeSettings(max_leak_share=0.79), audit)


def test_repeats_are_removed_by_kind_and_the_first_is_kept(audit):
    near = TEXT.replace("tonight", "today")
    first = table((TEXT, 0), (TEXT, 1), (near, 0), ("hi", 0), source="synthetic", origin="one")
    second = table((near, 0), ("Hi!", 0), ("new", 0), source="synthetic", origin="two")
    kept = remove_repeats(joined(first, second), MergeSettings(), audit)

    assert list(kept["text"]) == [TEXT, "hi", "new"]
    assert removed(audit) == {
        "synthetic_repeated": 1,
        "synthetic_near_repeated": 1,
        "synthetic_in_other_source": 2,
    }


def test_every_reason_is_listed(audit):
    assert set(audit.removed) == set(REASONS)


def test_similarity_is_measured_exactly_and_its_bound_is_included():
    five, four = "a b c d e f", "a b c d e"  # 4 of 5 word pairs in common
    assert len(word_pairs(five) & word_pairs(four)) == 4
    assert near_matches([four], [five], 0.8) == [0]
    assert near_matches([four], [five], 0.81) == [None]
    assert first_matches(["x", "X.", five, "y", four], 0.8) == [None, 0, None, None, 2]
    assert near_matches([], [], 0.8) == []


def test_what_a_judge_sees_is_put_in_the_order_of_the_labels(audit):
    rows = table(("some text", "joy"), ("other text", "fear"))
    rows["label_probabilities"] = [{"love": 0.25, "joy": 0.75}, float("nan")]

    seen = check(rows, audit)["label_probabilities"]

    assert list(seen) == [[0, 0.75, 0.25, 0, 0, 0], None]


@pytest.mark.parametrize(
    "probabilities",
    [{"joy": 0.5}, {"joy": 2, "love": -1}, {"bliss": 1}, {"joy": "1"}, {}, [1, 0, 0, 0, 0, 0], "x"],
)
def test_probabilities_that_are_none_are_named_with_their_row(probabilities, audit):
    rows = table(("fine", "joy"), ("some text", "joy"))
    rows["label_probabilities"] = [{"joy": 1}, probabilities]

    with pytest.raises(InputError, match=r"row 2: label_probabilities .* are no probabilities"):
        check(rows, audit)
