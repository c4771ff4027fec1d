"""The output tensors of the V2 protocol, over HTTP and gRPC alike."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.serve.predictor import Predictor
from components.serve.tensors import write_numbers, write_texts


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
        """The tensor in binary form."""
        if self.datatype == "BYTES":
            return write_texts(self.values.ravel().tolist())
        return write_numbers(self.values)


def named_outputs(
    predictor: Predictor, probabilities: NDArray[np.float32], top_k: int | None
) -> tuple[Output, Output]:
    """Labels and probabilities of texts.

    Args:
        predictor: Knows the labels.
        probabilities: Of all labels, shape (texts, labels).
        top_k: Give only the most probable labels of each text, with their probabilities in the
            same order, both of shape (texts, top_k); None gives one label a text, and the
            probabilities of all in the order of their ids.
    """
    names = np.array(predictor.labels, dtype=np.object_)
    if top_k is None:
        labels = names[probabilities.argmax(axis=1)]
    else:
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top_k]
        labels = names[best]
        probabilities = np.take_along_axis(probabilities, best, axis=1)
    return Output("label", "BYTES", labels), Output("probabilities", "FP32", probabilities)


def tensor_metadata(predictor: Predictor) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Names, datatypes and shapes of the inputs and of the outputs; -1 is any number of texts."""
    inputs = [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    outputs = [
        {"name": "label", "datatype": "BYTES", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, len(predictor.labels)]},
    ]
    return inputs, outputs
