"""The shipped corpus, and its distance from the embedded sample."""

import json
from collections import Counter
from itertools import product

import numpy as np
import pytest

from components.artifacts.ledger_lines import ACCEPTED, read_ledger
from components.artifacts.model.encoder import SentenceEncoder
from components.artifacts.task import load_task
from components.generate.answers import parse
from components.generate.curate import Curator
from components.generate.recording import read_recording
from components.generate.style import load_style
from components.merge.measures import SAME_MEANING
from components.merge.reading.sources import locate, read_tables
from components.merge.settings import MergeSettings
from components.storage import fetch
from components.texts import NearTexts, fold, words

CORPUS = "package:components/generate/corpus/emotion.jsonl"
TASK = load_task("emotion")
STYLES = ("varied", "everyday")
NEAR_TWINS = "A near twin of a text of another class"
"""How requests for minimal pairs name their twist, which no style does."""


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    return list(read_ledger(fetch(CORPUS, tmp_path_factory.mktemp("unused"))))


@pytest.fixture(scope="module")
def candidates(lines):
    """Each text with its label and the attributes that it was written after."""
    return [
        (candidate, line.origin.label, line.origin.attributes)
        for line in lines
        for candidate in parse.candidates_in(line.completion.raw)
    ]


def test_every_label_has_at_least_600_texts(candidates):
    counts = Counter(label for _, label, _ in candidates)
    assert set(counts) == set(TASK.names)
    assert min(counts.values()) >= 600


def test_every_text_passes_curation_and_none_is_near_another(candidates):
    curator = Curator(TASK, None, similarity=0.5)
    verdicts = Counter(curator.rejection(*each) or ACCEPTED for each in candidates)
    assert verdicts == {ACCEPTED: len(candidates)}


def test_no_text_is_near_a_row_of_the_embedded_sample(candidates, tmp_path):
    tables = read_tables(MergeSettings(), locate(MergeSettings(), tmp_path))
    sample = [text for table in tables.values() for text in table["text"]]
    known = NearTexts(0.5, words)
    for place, text in enumerate(sample):
        known.add(place, fold(text))
    near = [
        (candidate.text, sample[place])
        for candidate, _, _ in candidates
        if (place := known.find(fold(candidate.text))) is not None
    ]
    assert near == []


@pytest.mark.slow
def test_no_text_says_another_one_or_a_row_of_the_sample_in_other_words(
    candidates, encoder_folder, tmp_path
):
    tables = read_tables(MergeSettings(), locate(MergeSettings(), tmp_path))
    embed = SentenceEncoder(encoder_folder)
    texts = embed([candidate.text for candidate, _, _ in candidates])
    sample = embed([text for table in tables.values() for text in table["text"]])
    likeness = texts @ texts.T
    np.fill_diagonal(likeness, 0)
    assert likeness.max() < SAME_MEANING
    assert (texts @ sample.T).max() < SAME_MEANING


def test_every_request_has_the_attributes_of_one_of_its_styles(lines):
    styles = [load_style(name).attributes for name in STYLES]
    for attributes in (line.origin.attributes for line in lines):
        style = styles["situation" not in attributes]
        assert set(attributes) <= set(style)
        for name, value in attributes.items():
            values = TASK.topics if name == "topic" and style is styles[0] else style[name]
            assert value in values or value.startswith(NEAR_TWINS), (name, value)


@pytest.mark.parametrize("style", STYLES)
def test_every_value_of_every_attribute_occurs_with_every_label(style, candidates):
    values = {
        (label, name, value)
        for _, label, attributes in candidates
        if ("situation" in attributes) == (style == STYLES[0])
        for name, value in attributes.items()
    }
    attributes = {**load_style(style).attributes, "topic": TASK.topics}
    if style != STYLES[0]:
        del attributes["topic"]
    wanted = {
        (label, name, value)
        for label in TASK.names
        for name, each in attributes.items()
        for value in each
    }
    assert wanted - values == set()


@pytest.mark.parametrize(
    "pair", ["joy and love", "fear and surprise", "sadness and anger", "surprise and joy"]
)
def test_confused_labels_have_near_twins(pair, candidates):
    twins = Counter(label for _, label, has in candidates if has.get("twist", "").endswith(pair))
    assert set(twins) == set(pair.split(" and "))
    assert min(twins.values()) >= 25


def test_lengths_and_naming_are_spread_over_every_label(candidates):
    kinds = Counter(
        (label, has["naming"], min(len(candidate.text.split()) // 15, 3))
        for candidate, label, has in candidates
    )
    for label, naming, length in product(TASK.names, ("implicit", "explicit"), range(4)):
        assert kinds[label, naming, length] >= 10, (label, naming, length)


def test_the_recording_is_read_as_it_stands(lines):
    recording = read_recording(CORPUS, TASK.names)
    assert sum(map(len, recording.answers.values())) == len(lines)
    assert all(isinstance(json.loads(line.completion.raw), list) for line in lines)
