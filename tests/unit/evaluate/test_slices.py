import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts.dataset import Dataset, Description, Split
from components.artifacts.task import Label, Task
from components.evaluate.measure.slices import slice_scores

TASK = Task(
    "mood",
    "the mood",
    (Label("gloom", "sad", words=("down in the dumps",)), Label("glee", "happy", words=("merry",))),
)
NOTHING = Split([], np.array([], int))


def dataset(test, train=NOTHING, validation=NOTHING):
    return Dataset(Description(labels=TASK.names, rows={}), train, validation, test)


def scored(texts, labels, predicted, **parts):
    test = Split(texts, np.array(labels), parts.pop("sources", ()))
    scores = slice_scores(dataset(test, **parts), np.eye(2)[predicted], TASK)
    return {(each.group, each.name): each for each in scores}


def test_texts_are_parted_by_length_into_thirds():
    texts = ["a", "a b", "a b c", "a b c d", "a b c d e", "a b c d e f"]

    found = scored(texts, [0] * 6, [0, 0, 0, 1, 1, 1])

    lengths = {name: part for (group, name), part in found.items() if group == "Length"}
    assert {name: part.rows for name, part in lengths.items()} == {
        "up to 2 words": 2,
        "3 to 4 words": 2,
        "more than 4 words": 2,
    }
    assert [part.accuracy for part in lengths.values()] == [1.0, 0.5, 0.0]
    assert [part.drop for part in lengths.values()] == pytest.approx([-50, 0, 50])


def test_the_length_of_a_text_without_spaces_is_that_of_its_letters():
    found = scored(["很好", "我很好", "我今天很好"], [0] * 3, [0] * 3)

    assert {name for group, name in found if group == "Length"} == {
        "up to 2 words",
        "3 to 3 words",
        "more than 3 words",
    }


def test_texts_of_one_length_are_one_part():
    found = scored(["a b", "c d"], [0, 1], [0, 1])

    assert [name for group, name in found if group == "Length"] == ["up to 2 words"]


def test_a_word_of_any_label_makes_a_text_explicit_and_a_part_of_a_word_does_not():
    texts = ["MERRY, are you?", "quite Down, in the dumps!", "pure gloom", "gloomy merryman"]

    found = scored(texts, [1, 0, 0, 1], [1, 0, 0, 0])

    assert found["Wording", "names a label"].rows == 3
    assert found["Wording", "only implies it"].accuracy == 0


def test_sources_are_told_apart_only_if_there_are_several():
    both = scored(["a", "b"], [0, 1], [0, 0], sources=["real", "synthetic"])

    assert both["Source", "real"].accuracy == 1
    assert both["Source", "synthetic"].accuracy == 0
    assert not [
        group for group, _ in scored(["a"], [0], [0], sources=["real"]) if group == "Source"
    ]


def test_a_text_that_has_another_label_elsewhere_is_in_conflict():
    validation = Split(["Same text!", "fine"], np.array([1, 0]))

    found = scored(["same text", "fine"], [0, 0], [1, 0], validation=validation)

    (conflict,) = [part for (group, _), part in found.items() if group == "Conflict"]
    assert (conflict.rows, conflict.accuracy, conflict.share) == (1, 0, 0.5)
    assert conflict.is_small


def test_macro_f1_counts_the_labels_that_are_there():
    found = scored(["x"] * 12, [0] * 12, [0] * 12)

    (length,) = [part for (group, _), part in found.items() if group == "Length"]
    assert length.macro_f1 == 1
    assert not length.is_small


def test_the_interval_is_wilsons():
    found = scored(["x"] * 10, [0] * 10, [0] * 8 + [1] * 2)

    (length,) = [part for (group, _), part in found.items() if group == "Length"]
    # Newcombe 1998, formula of method 3.
    assert (length.interval.low, length.interval.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.text(max_size=40), st.booleans(), st.booleans()), min_size=1))
def test_any_texts_can_be_sliced(rows):
    texts, labels, predicted = zip(*rows, strict=True)
    test = Split(texts, np.array(labels, int))

    scores = slice_scores(dataset(test), np.eye(2)[np.array(predicted, int)], TASK)

    for group in ("Length", "Wording"):
        assert sum(part.rows for part in scores if part.group == group) == len(rows)
    assert all(part.interval.low <= part.accuracy <= part.interval.high for part in scores)
