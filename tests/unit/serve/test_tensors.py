import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serve.answers import Refusal
from components.serve.tensors import Output, read_texts, write_texts

UNICODE = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(UNICODE))
def test_texts_survive(texts):
    assert read_texts(write_texts(texts)) == texts


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content):
    try:
        texts = read_texts(content)
    except Refusal as refusal:
        assert refusal.status == 400
    else:
        assert write_texts(texts) == content


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"\x01\x00", "within the length"),
        (b"\x05\x00\x00\x00abc", "within an element"),
        (b"\xff\xff\xff\xffabc", "within an element"),
        (b"\x01\x00\x00\x00\xe9", "text 0 is not UTF-8"),
    ],
)
def test_a_broken_tensor_is_refused(content, rule):
    with pytest.raises(Refusal, match=rule):
        read_texts(content)


def test_numbers_are_little_endian():
    numbers = np.array([[1.0], [-2.5]], dtype=">f4")
    little = np.array([1.0, -2.5], dtype="<f4")
    assert Output("probabilities", "FP32", numbers).to_bytes() == little.tobytes()
