"""Tensors of texts and numbers in the binary form of the V2 protocol.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.serve.refusal import Refusal

_LENGTH = struct.Struct("<I")


def read_texts(content: bytes) -> list[str]:
    """Read a BYTES tensor: each element is its length in four bytes, little-endian, and its bytes.

    Raises:
        Refusal: If a length reaches beyond the end, or an element is not UTF-8.
    """
    texts: list[str] = []
    place = 0
    while place < len(content):
        if place + _LENGTH.size > len(content):
            raise Refusal.malformed("the binary data end within the length of an element")
        (length,) = _LENGTH.unpack_from(content, place)
        place += _LENGTH.size
        if place + length > len(content):
            raise Refusal.malformed("the binary data end within an element")
        texts.append(decoded(content[place : place + length], len(texts)))
        place += length
    return texts


def decoded(content: bytes, place: int) -> str:
    """One element as text.

    Raises:
        Refusal: If it is not UTF-8.
    """
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refusal.malformed(f"text {place} is not UTF-8") from None


def write_texts(texts: Sequence[str]) -> bytes:
    """A BYTES tensor in binary form."""
    elements = [text.encode() for text in texts]
    return b"".join(_LENGTH.pack(len(each)) + each for each in elements)


def write_numbers(values: NDArray[np.float32]) -> bytes:
    """An FP32 tensor in binary form."""
    return values.astype("<f4").tobytes()
