"""What is chosen from a surplus of accepted sentences."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.task import Label, Task
from components.generate.selection import chosen
from components.quick_classifier import NOTHING, Labelled

TASK = Task("weather", "the weather", (Label("sun", "dry"), Label("rain", "wet")))
REAL = Labelled(["so dry and bright"] * 4 + ["so wet and dark"] * 4, [0] * 4 + [1] * 4)


def row(text, label="sun", **more):
    return {"text": text, "label": label, **more}


def texts_chosen(rows, count, real=NOTHING):
    return [rows[place]["text"] for place in chosen(rows, count, TASK, real)]


def test_what_repeats_another_one_is_left_out():
    rows = [row("the beach was hot"), row("the beach was hot hot"), row("a picnic in the garden")]
    assert texts_chosen(rows, 2) == ["the beach was hot", "a picnic in the garden"]


def test_what_the_real_rows_teach_already_is_left_out():
    rows = [row("dry and bright"), row("the lawn is a brown carpet"), row("bright and dry it is")]
    assert "the lawn is a brown carpet" in texts_chosen(rows, 1, REAL)


def test_what_the_judge_doubts_is_left_out():
    rows = [
        row("the lawn is a brown carpet", label_probabilities={"sun": 0.2, "rain": 0.8}),
        row("my ice cream melted at once", label_probabilities={"sun": 0.9, "rain": 0.1}),
    ]
    assert texts_chosen(rows, 1) == ["my ice cream melted at once"]


def test_nothing_is_chosen_from_nothing():
    assert chosen([], 3, TASK, REAL) == []


ROWS = st.builds(
    row,
    st.lists(st.sampled_from(["hot", "cold", "wet", "dry", "sky"]), min_size=1).map(" ".join),
    st.sampled_from(TASK.names),
)


@given(st.lists(ROWS, max_size=20), st.integers(1, 8))
def test_every_label_gets_its_number_or_all_there_are(rows, count):
    places = chosen(rows, count, TASK, REAL)
    assert places == sorted(set(places))
    offered = Counter(each["label"] for each in rows)
    got = Counter(rows[place]["label"] for place in places)
    assert got == {label: min(count, number) for label, number in offered.items()}
