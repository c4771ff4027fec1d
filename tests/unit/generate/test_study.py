"""What a classifier has not learnt yet."""

import random

import numpy as np
import pytest

from components.artifacts.model.encoder import SentenceEncoder
from components.artifacts.task import Label, Task, load_task
from components.errors import InputError
from components.generate.classifier_judge import drawn
from components.generate.run import train_examples
from components.generate.study import Study
from components.merge.settings import MergeSettings
from components.quick_classifier import Labelled

TASK = Task("mood", "a mood", (Label("calm", ""), Label("glad", ""), Label("cross", "")))
WORDS = (["sea", "sleep", "tea", "book"], ["party", "gift", "dance", "sun"], ["noise", "queue"])
ATTRIBUTES = {"length": ["short", "long"], "topic": ["home", "work", "travel"]}


def mood_rows(count, seed=0):
    """Texts of words of their label, but every third calm one is written like a glad one."""
    dice = random.Random(seed)  # noqa: S311
    texts, labels = [], []
    for number in range(count):
        label = number % 3
        words = WORDS[1] if label == 0 and number % 9 == 0 else WORDS[label]
        texts.append(f"{' '.join(dice.choices(words, k=4))} {number}")
        labels.append(label)
    return Labelled(texts, labels)


def study(rows, attributes=ATTRIBUTES):
    return Study(TASK, rows, attributes, seed=0)


def test_the_confused_labels_are_named_with_texts_that_show_it():
    rows = mood_rows(180)
    aim = study(rows).lesson([]).aim
    first = aim.contrasts["calm"][0]
    assert first.other == "glad"
    assert first.mistakes == max(each.mistakes for each in aim.contrasts["calm"])
    told = dict(zip(rows.texts, rows.labels, strict=True))
    assert {told[text] for text in first.texts} == {0}
    assert set(first.texts[0].split()) & set(WORDS[1])
    assert aim.contrasts["cross"] == []
    assert aim.attributes == {}


def test_what_was_accepted_is_learnt_and_its_doubtful_values_are_asked_for():
    attributes = {"length": ["short", "long"], "topic": ["home", "work", "travel"]}
    known = [
        {"text": f"sea sleep tea {n}", "label": "calm", "length": "short", "topic": "home"}
        for n in range(4)
    ]
    new = [
        {"text": f"hammock breeze {n}", "label": "calm", "length": "long", "topic": "work"}
        for n in range(4)
    ]
    lesson = study(mood_rows(180), attributes).lesson([*known, *new])
    assert lesson.aim.attributes["length"] == ("long",)
    # Nothing was accepted for travel, so that it comes first.
    assert lesson.aim.attributes["topic"] == ("travel", "work")


def test_scores_are_those_on_rows_that_were_held_out():
    lesson = study(mood_rows(180)).lesson([])
    assert lesson.rows == 36
    assert 0.7 < lesson.accuracy < 1
    assert 0.7 < lesson.macro_f1 < 1


def test_the_mistakes_of_an_earlier_run_come_first():
    confusion = np.array([[5, 0, 9], [0, 5, 0], [0, 2, 5]])
    aim = study(mood_rows(90)).lesson([], confusion).aim
    ((other, mistakes),) = [(each.other, each.mistakes) for each in aim.contrasts["calm"]]
    assert (other, mistakes) == ("cross", 9)
    assert aim.contrasts["calm"][0].texts
    assert aim.contrasts["glad"] == []


def test_too_few_rows_are_refused():
    with pytest.raises(InputError, match="5 real train rows of each label, cross has fewer"):
        study(Labelled(["a"] * 14, [0] * 5 + [1] * 5 + [2] * 4))


def test_meaning_finds_regions_of_the_embedded_sample(encoder_folder):
    task, real = load_task("emotion"), train_examples(MergeSettings())
    few = {name: texts[:25] for name, texts in real.items()}
    encoder = SentenceEncoder(encoder_folder)
    lesson = Study(task, drawn(task, few, 0), {}, 0, encoder).lesson([])
    assert lesson.accuracy > 0.4
    for name, contrasts in lesson.aim.contrasts.items():
        for each in contrasts:
            assert set(each.texts) <= set(few[name])
