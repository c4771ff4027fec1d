"""The labels of a data set: what they are called there, and in the task."""

import pandas as pd
import pytest

from components.errors import InputError
from components.merge.reading.labels import mapped, require_used, with_names
from components.merge.settings import MergeSettings

IDS = {"0": "joy", "1": "sadness"}


@pytest.mark.parametrize(
    ("labels", "label_map", "expected"),
    [
        ([0.0, 1.0, "0.0", " 1 ", "01", 1], IDS, ["joy", "sadness"] * 2 + ["sadness"] * 2),
        (["True", True, "false"], {"true": "joy", "FALSE": "fear"}, ["joy", "joy", "fear"]),
        (["Happy", "fear"], {"happy": "joy"}, ["joy", "fear"]),
        (["a\u0308rger"], {"\u00e4rger": "anger"}, ["anger"]),
        ([0, 1.5, 2], IDS, ["joy", 1.5, "2 (not in label_map)"]),
        ([0, "1"], {}, [0, "1"]),
    ],
)
def test_labels_are_mapped_in_whatever_form_they_stand(labels, label_map, expected):
    assert mapped(labels, label_map) == expected


def test_ids_get_the_names_that_the_data_set_states():
    labels = with_names(pd.Series([1, 0.0, "1", -1, "joy", 5], dtype=object), ["joy", "fear"])

    assert list(labels) == ["fear", "joy", "fear", -1, "joy", 5]


def test_names_that_are_numbers_are_not_taken_for_ids():
    stars = with_names(pd.Series([0, 1]), ["1", "2"])
    same = with_names(pd.Series([0, 1]), ["0", "1"])

    assert (list(stars), list(same)) == (["name 1", "name 2"], ["0", "1"])


def test_a_map_without_any_label_of_the_data_set_is_refused():
    require_used(IDS, [1.0, 7])
    with pytest.raises(InputError, match=r"label_map: maps 0, 1, but the labels .* are fear, joy"):
        require_used(IDS, ["fear", "joy", "joy "])


def test_a_map_with_two_names_for_one_label_is_refused():
    with pytest.raises(InputError, match=r"maps the label '1\.0' to joy and to fear"):
        MergeSettings(label_map={"1": "joy", "1.0": "fear"})
