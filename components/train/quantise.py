"""From the float32 ONNX model to the int8 one that the predictor runs by default."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from scipy.special import softmax

from components import bundle
from components.checks import InputError
from components.onnx import inference_session


@dataclass(frozen=True)
class Parity:
    """How far the int8 model agrees with the float32 model on the same texts.

    Args:
        agreement: Share of texts with the same most probable label.
        probability_difference: Largest difference of a probability.
    """

    agreement: float
    probability_difference: float


def quantise(folder: Path) -> None:
    """Write the int8 model beside the float32 model of a model folder.

    Weights are quantised a channel at a time and to 7 bits: with 8, processors without VNNI
    overflow in their 16-bit sums.

    Source: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
    """
    # It tells the root logger of every node that it passes.
    logging.disable(logging.WARNING)
    try:
        quantize_dynamic(
            folder / bundle.ONNX["fp32"],
            folder / bundle.ONNX["int8"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
    finally:
        logging.disable(logging.NOTSET)


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


def onnx_logits(path: Path, rows: Dataset) -> NDArray[np.float32]:
    """Logits of an exported model for tokenised rows, shape (rows, labels), one row at a time."""
    session = inference_session(path)
    names = ("input_ids", "attention_mask")
    logits = [
        session.run(["logits"], {name: np.array([row[name]]) for name in names})[0] for row in rows
    ]
    return np.concatenate(logits)
