import re
from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from components.artifacts.task import load_task
from components.merge.sample import resplit
from components.merge.settings import MergeSettings
from components.merge.sources import locate, read_tables
from components.texts import fold


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    return read_tables(MergeSettings(), locate(MergeSettings(), tmp_path_factory.mktemp("unused")))


@pytest.fixture(scope="module")
def texts(splits):
    return [text for table in splits.values() for text in table["text"]]


@pytest.mark.parametrize("name", ["train.csv", "validation.csv", "test.csv"])
def test_the_splits_are_those_that_the_sentences_give(name, tmp_path):
    resplit.resplit(tmp_path)

    assert (tmp_path / name).read_bytes() == (resplit.FOLDER / name).read_bytes()


def test_there_are_enough_sentences_of_every_label(splits, texts):
    labels = Counter(label for table in splits.values() for label in table["label"])

    assert len(texts) >= 1000
    assert set(labels) == set(load_task("emotion").names)
    assert min(labels.values()) >= 150
    assert all(set(table["label"]) == set(labels) for table in splits.values())


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
