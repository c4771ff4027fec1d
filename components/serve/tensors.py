"""Tensors of the V2 protocol: names and shapes, and their binary form.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.serve.answers import Refusal
from components.serve.predictor import Predictor

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
            raise Refusal.malformed("the binary data ends within the length of an element")
        (length,) = _LENGTH.unpack_from(content, place)
        place += _LENGTH.size
        if place + length > len(content):
            raise Refusal.malformed("the binary data ends within an element")
        texts.append(decoded(content[place : place + length], len(texts)))
        place += length
    return texts


def decoded(content: bytes, place: int) -> str:
    """Decode an element.

    Raises:
        Refusal: If it is not UTF-8.
    """
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refusal.malformed(f"text {place} is not UTF-8") from None


def write_texts(texts: Sequence[str]) -> bytes:
    """Write a BYTES tensor in binary form."""
    elements = [text.encode() for text in texts]
    return b"".join(_LENGTH.pack(len(each)) + each for each in elements)


@dataclass(frozen=True)
class Output:
    """An output tensor.

    Args:
        name: `label` or `probabilities`.
        datatype: `BYTES` or `FP32`.
        values: Texts or numbers, in the tensor's shape.
    """

    name: str
    datatype: str
    values: NDArray[Any]

    @property
    def shape(self) -> list[int]:
        """Size of each dimension."""
        return list(self.values.shape)

    def to_bytes(self) -> bytes:
        """Write the tensor in binary form."""
        if self.datatype == "BYTES":
            return write_texts(self.values.ravel().tolist())
        return self.values.astype("<f4").tobytes()


def named_outputs(
    predictor: Predictor, probabilities: NDArray[np.float32], top_k: int | None
) -> tuple[Output, Output]:
    """Build the tensors of labels and probabilities.

    Args:
        predictor: The predictor, for its labels.
        probabilities: Probabilities of all labels, shape (texts, labels).
        top_k: Number of labels per text, the most probable first, with their probabilities in
            the same order, both of shape (texts, top_k); None for one label per text, and the
            probabilities of all labels in the order of their ids.
    """
    names = np.array(predictor.labels, dtype=np.object_)
    if top_k is None:
        labels = names[probabilities.argmax(axis=1)]
    else:
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top_k]
        labels = names[best]
        probabilities = np.take_along_axis(probabilities, best, axis=1)
    return Output("label", "BYTES", labels), Output("probabilities", "FP32", probabilities)


def require_shape(shape: Sequence[int], texts: Sequence[str]) -> None:
    """Refuse an input whose shape is not that of its texts.

    Raises:
        Refusal: With status 400.
    """
    if list(shape) != [len(texts)]:
        right = f"the input `text` with {len(texts)} texts must have shape [{len(texts)}]"
        raise Refusal.malformed(f"{right}, not {list(shape)}")


def model_metadata(predictor: Predictor) -> dict[str, Any]:
    """Describe the model, its inputs and outputs; the size -1 is any number of texts."""
    inputs = [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    outputs = [
        {"name": "label", "datatype": "BYTES", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, len(predictor.labels)]},
    ]
    return {
        "name": predictor.name,
        "versions": [predictor.version],
        "platform": predictor.platform,
        "inputs": inputs,
        "outputs": outputs,
    }
