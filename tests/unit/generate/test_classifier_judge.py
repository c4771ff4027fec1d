"""A classifier of labelled texts as a judge of new ones."""

import asyncio

import pytest

from components.artifacts.task import Label, Task, load_task
from components.errors import InputError
from components.generate.classifier_judge import ClassifierJudge
from components.generate.harvest import NO_DOUBT
from components.generate.run import train_examples
from components.merge.settings import MergeSettings

TASK = load_task("emotion")
LEAST = NO_DOUBT / 6
WEATHER = Task("weather", "the weather", (Label("sun", "dry"), Label("rain", "wet")))


def opinion(judge, text):
    return asyncio.run(judge.opinion(text)).probabilities


@pytest.fixture(scope="module")
def judge():
    return ClassifierJudge(TASK, "words", train_examples(MergeSettings()), seed=0)


@pytest.mark.parametrize(
    ("text", "seen", "unlikely"),
    [
        ("I miss my grandfather so much, the house is empty and I cry.", "sadness", "joy"),
        ("How dare they charge me twice and then laugh about it!", "anger", "love"),
        ("My heart was pounding, I was so scared of the dark.", "fear", "joy"),
        ("He took care of it. He gave him a big hug.", "love", "anger"),
    ],
)
def test_it_sees_the_label_of_a_text(judge, text, seen, unlikely):
    found = opinion(judge, text)
    assert set(found) == set(TASK.names)
    assert 0.7 < sum(found.values()) <= 1.001
    assert max(found, key=found.__getitem__) == seen
    assert found[unlikely] < LEAST


@pytest.mark.parametrize(
    "text", ["The meeting is in room four on the second floor.", "I bought milk and two onions."]
)
def test_a_text_that_shows_no_label_is_doubted_whatever_was_wanted(judge, text):
    found = opinion(judge, text)
    assert sum(found.values()) < 0.7
    assert max(found.values()) < 2 * LEAST


def test_it_is_tried_out_on_real_rows_that_it_has_not_learnt_from(judge):
    rows, right = judge.tried_out()
    assert rows == sum(map(len, train_examples(MergeSettings()).values()))
    assert 0.6 < right / rows < 0.95


def test_another_task_learns_from_its_real_rows_alone():
    real = {"sun": ["so dry and bright"] * 4, "rain": ["so wet and dark"] * 4}
    judge = ClassifierJudge(WEATHER, "words", real, seed=0)
    assert opinion(judge, "bright and dry")["sun"] > 0.5
    assert judge.tried_out() == (8, 8)


def test_it_learns_from_texts_without_spaces():
    real = {"sun": ["今天阳光真好", "外面很热没有云"], "rain": ["今天一直下大雨", "外面很冷又下雨"]}
    judge = ClassifierJudge(WEATHER, "words", real, seed=0)
    assert opinion(judge, "阳光很好没有云")["sun"] > 0.6
    assert opinion(judge, "又下大雨了")["rain"] > 0.6


def test_of_a_label_without_texts_nothing_is_said_and_few_rows_try_nothing_out():
    task = Task("weather", "the weather", (*WEATHER.labels, Label("snow", "white")))
    judge = ClassifierJudge(
        task, "words", {"sun": ["so dry"], "rain": ["so wet"], "snow": []}, seed=0
    )
    assert set(opinion(judge, "so white")) == {"sun", "rain"}
    assert judge.tried_out() == (0, 0)
    more = {"sun": ["so dry and bright"] * 4, "rain": ["so wet and dark"] * 4, "snow": ["so white"]}
    assert ClassifierJudge(task, "words", more, seed=0).tried_out() == (8, 8)


@pytest.mark.parametrize("real", [{}, {"sun": ["so dry"]}])
def test_nothing_to_learn_from_is_refused(real):
    with pytest.raises(InputError, match="has no labelled texts to learn from"):
        ClassifierJudge(WEATHER, "words", real, seed=0)
