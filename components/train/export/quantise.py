"""From the float32 ONNX model to the int8 one that the predictor runs by default."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from datasets import Dataset
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from scipy.special import softmax

from components.artifacts.model import bundle
from components.artifacts.model.engines import Feed, Layout, inference_session
from components.errors import InputError

_LINEAR = ["MatMul", "Gemm"]
_ROWS_CALIBRATED = 128


@dataclass(frozen=True)
class Parity:
    """How far the int8 model agrees with the float32 model on the same texts.

    Args:
        agreement: Share of texts with the same most probable label.
        probability_difference: Largest difference of a probability.
    """

    agreement: float
    probability_difference: float


def quantise(folder: Path, rows: Dataset, layout: Layout) -> None:
    """Write the int8 model beside the float32 model of a model folder.

    Activations are quantised statically, by ranges seen on the first rows: with dynamic ranges
    a text's answer would depend on its neighbours in a batch. Weights are quantised a channel at
    a time and to 7 bits: with 8, processors without VNNI overflow in their 16-bit sums.

    Source: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html

    Args:
        folder: The model folder.
        rows: Tokenised rows.
        layout: How rows become tensors.
    """
    source = folder / bundle.ONNX["fp32"]
    # It tells the root logger of every node that it passes.
    logging.disable(logging.WARNING)
    try:
        quantize_static(
            source,
            folder / bundle.ONNX["int8"],
            _Calibration(rows, layout),
            nodes_to_quantize=_linear_nodes(source),
            op_types_to_quantize=_LINEAR,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={
                # Sums stay in float32, and so does what else reads a layer's input.
                "OpTypesToExcludeOutputQuantization": _LINEAR,
                "DedicatedQDQPair": True,
            },
        )
    finally:
        logging.disable(logging.NOTSET)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Feeds rows one at a time, so that all are laid out as they are served."""

    def __init__(self, rows: Dataset, layout: Layout) -> None:
        calibrated = rows[:_ROWS_CALIBRATED]["input_ids"]
        self._feeds = (layout.feed([tokens]) for tokens in calibrated)

    def get_next(self) -> Feed | None:
        """The next row's tensors; None when there are no more."""
        return next(self._feeds, None)


def _linear_nodes(path: Path) -> list[str]:
    """Names of the nodes that multiply with weights, not with other activations."""
    graph = onnx.load(path).graph
    weights = {tensor.name for tensor in graph.initializer}
    return [
        node.name
        for node in graph.node
        if node.op_type in _LINEAR and not weights.isdisjoint(node.input)
    ]


def parity(int8: NDArray[np.float32], fp32: NDArray[np.float32], min_agreement: float) -> Parity:
    """Compare the logits of both models, each of shape (texts, labels).

    Raises:
        InputError: If they agree on too few texts.
    """
    agreement = float((int8.argmax(axis=1) == fp32.argmax(axis=1)).mean())
    if agreement < min_agreement:
        rule = f"gives {agreement:.2%} of the validation rows the float32 model's label, below "
        fix = "Train longer, or lower min_int8_agreement and watch the gate's quantisation loss"
        raise InputError("int8 model", rule + f"{min_agreement:.2%}", fix)
    difference = np.abs(softmax(int8, axis=1) - softmax(fp32, axis=1)).max()
    return Parity(agreement, float(difference))


def onnx_logits(path: Path, rows: Dataset, layout: Layout) -> NDArray[np.float32]:
    """Logits of an exported model for tokenised rows, shape (rows, labels), one row at a time."""
    session = inference_session(path)
    feeds = (layout.feed([tokens]) for tokens in rows["input_ids"])
    return np.concatenate([session.run(["logits"], feed)[0] for feed in feeds])
