"""Bodies of requests and answers that no predictor of ours sends; its own are in tests/steps."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.watch.payloads import Answer, read_answer, read_texts

LABELS = ("joy", "anger")


def body(value):
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        body({}),
        body({"instances": []}),
        body({"instances": [" "]}),
        body({"instances": [{"words": "x"}]}),
        body({"instances": 7}),
        body({"inputs": []}),
        body({"inputs": [{"data": [1]}]}),
        body({"inputs": [{"name": "text"}]}) + b"\x05\x00\x00\x00abc",
    ],
)
def test_a_request_without_texts_is_refused(content):
    with pytest.raises(ValueError, match=r".+"):
        read_texts(content)


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1))
def test_texts_of_v1_and_v2_are_read_as_they_were_sent(texts):
    tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES"}
    encoded = [text.encode("utf-8", "replace") for text in texts]
    binary = b"".join(len(each).to_bytes(4, "little") + each for each in encoded)
    readable = [each.decode() for each in encoded]
    for content in (
        body({"instances": readable}),
        body({"instances": [{"text": each} for each in readable]}),
        b"\n "
        + json.dumps({"inputs": [{**tensor, "data": readable}]}, ensure_ascii=False).encode(),
        body({"inputs": [tensor]}) + binary,
    ):
        assert read_texts(content) == readable


@given(st.binary() | st.binary().map(lambda rest: body({"inputs": [{}]}) + rest))
def test_no_body_does_more_than_be_refused(content):
    with contextlib.suppress(ValueError):
        assert all(read_texts(content))
    assert isinstance(read_answer(content, LABELS), Answer)


def test_an_answer_of_v2_is_read_unless_its_columns_are_ranks():
    def answer(shape, labels="joy,anger"):
        data = {"name": "probabilities", "shape": [2, 2], "data": [0.9, 0.1, 0.2, 0.8]}
        outputs = [{"name": "label", "shape": shape}, data]
        head = {"model_version": "run:abc", "parameters": {"labels": labels}}
        return read_answer(body({**head, "outputs": outputs}), LABELS)

    whole = answer([2])
    assert whole.version == "run:abc"
    assert np.array_equal(whole.probabilities, [[0.9, 0.1], [0.2, 0.8]])
    assert answer([2, 2]).probabilities is None
    assert answer([2], "anger,joy").probabilities is None


def test_an_error_is_a_refusal_and_part_of_the_labels_says_nothing():
    assert read_answer(body({"error": "text 0 is empty"}), LABELS).refused
    part = {"predictions": [{"label": "joy", "probabilities": {"joy": 0.9}}], "model_version": "v"}
    assert read_answer(body(part), LABELS) == Answer("v")
