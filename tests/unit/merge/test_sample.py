import re
from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from components.artifacts.task import load_task
from components.merge.reading.sources import locate, read_tables
from components.merge.settings import MergeSettings
from components.texts import fold


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    return read_tables(MergeSettings(), locate(MergeSettings(), tmp_path_factory.mktemp("unused")))


@pytest.fixture(scope="module")
def texts(splits):
    return [text for table in splits.values() for text in table["text"]]


def test_every_label_has_as_many_sentences(splits):
    names = load_task("emotion").names
    labels = Counter(label for table in splits.values() for label in table["label"])

    assert labels == dict.fromkeys(names, 176)


@pytest.mark.parametrize(("name", "rows"), [("train", 738), ("validation", 106), ("test", 212)])
def test_the_splits_are_stratified(splits, name, rows):
    labels = Counter(splits[name]["label"])

    assert labels.total() == rows
    assert set(labels) == set(load_task("emotion").names)
    assert max(labels.values()) - min(labels.values()) <= 1


def test_no_sentence_occurs_twice(texts):
    assert len({fold(text) for text in texts}) == len(texts)


def test_no_two_sentences_are_nearly_the_same(texts):
    words = CountVectorizer(tokenizer=lambda text: fold(text).split(), token_pattern=None)
    present = (words.fit_transform(texts) > 0).astype(np.int32)
    shared = (present @ present.T).toarray()
    sizes = np.diag(shared)
    jaccard = shared / (sizes[:, None] + sizes[None, :] - shared)
    np.fill_diagonal(jaccard, 0)
    first, second = np.unravel_index(jaccard.argmax(), jaccard.shape)

    assert jaccard.max() <= 0.6, f"{texts[first]!r} is too like {texts[second]!r}"


def test_every_sentence_is_plain_ascii_of_sensible_length(texts):
    assert [text for text in texts if not re.fullmatch(r"[ -~]{10,300}", text)] == []
