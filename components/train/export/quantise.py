"""The int8 ONNX model, which the predictor runs by default, and its temperature."""

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from datasets import Dataset
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from components.artifacts.model import bundle
from components.artifacts.model.classifier import Feed, Layout, inference_session
from components.errors import WorkError
from components.train.export.embeddings import quantise_embeddings

_LINEAR = ["MatMul", "Gemm"]
_ROWS_CALIBRATED = 128
_HIGHEST_TEMPERATURE = 20.0


@dataclass(frozen=True)
class Parity:
    """Agreement of the int8 model with the float32 model on the same texts.

    Args:
        agreement: Share of texts with the same most probable label.
        probability_difference: Largest difference between their probabilities.
    """

    agreement: float
    probability_difference: float


def quantise(folder: Path, rows: Dataset, layout: Layout) -> None:
    """Write the int8 model into a model folder that holds the float32 model.

    Activations are quantised statically, with ranges measured on the first rows: with dynamic
    ranges the answer to a text would depend on its neighbours in a batch. Weights are quantised
    per channel and to 7 bits: with 8, processors without VNNI overflow in their 16-bit sums. The
    vectors of the vocabulary, most of the file, have 8 bits and a scale each.

    Source: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html

    Args:
        folder: The model folder.
        rows: Tokenised rows.
        layout: How rows become tensors.
    """
    source, target = folder / bundle.ONNX["fp32"], folder / bundle.ONNX["int8"]
    # It logs a line to the root logger for every node it visits.
    logging.disable(logging.WARNING)
    try:
        quantize_static(
            source,
            target,
            _Calibration(rows, layout),
            nodes_to_quantize=_linear_nodes(source),
            op_types_to_quantize=_LINEAR,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={
                # Sums stay in float32, and so do other uses of a layer's input.
                "OpTypesToExcludeOutputQuantization": _LINEAR,
                "DedicatedQDQPair": True,
            },
        )
    finally:
        logging.disable(logging.NOTSET)
    quantise_embeddings(target)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Feeds rows one at a time, in the layout in which they are served."""

    def __init__(self, rows: Dataset, layout: Layout) -> None:
        calibrated = rows[:_ROWS_CALIBRATED]["input_ids"]
        self._feeds = (layout.feed([tokens]) for tokens in calibrated)

    def get_next(self) -> Feed | None:
        """Return the tensors of the next row; None after the last one."""
        return next(self._feeds, None)


def _linear_nodes(path: Path) -> list[str]:
    """Names of the nodes that multiply by weights, not by other activations."""
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
        WorkError: If they agree on too few texts.
    """
    agreement = float((int8.argmax(axis=1) == fp32.argmax(axis=1)).mean())
    if agreement < min_agreement:
        rule = f"labels only {agreement:.2%} of the validation rows like the float32 model, below "
        fix = "Train longer, or lower min_int8_agreement and watch the gate's quantisation loss"
        raise WorkError("int8 model", rule + f"{min_agreement:.2%}", fix)
    difference = np.abs(softmax(int8, axis=1) - softmax(fp32, axis=1)).max()
    return Parity(agreement, float(difference))


def onnx_logits(path: Path, rows: Dataset, layout: Layout) -> NDArray[np.float32]:
    """Compute logits of an exported model, shape (rows, labels), one tokenised row at a time."""
    session = inference_session(path)
    feeds = (layout.feed([tokens]) for tokens in rows["input_ids"])
    return np.concatenate([session.run(["logits"], feed)[0] for feed in feeds])


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Find the temperature that maximises the likelihood of the true labels.

    Args:
        logits: Shape (rows, labels), for rows that the model was not trained on.
        labels: True label ids, shape (rows,).

    Returns:
        The divisor of the logits, between 1/20 and 20.

    Source: Guo et al. 2017, arXiv 1706.04599.
    """
    limit = np.log(_HIGHEST_TEMPERATURE)
    found = minimize_scalar(
        partial(_log_loss, logits=logits.astype(np.float64), labels=labels),
        bounds=(-limit, limit),
        method="bounded",
    )
    return float(np.exp(found.x))


def _log_loss(
    log_temperature: float, logits: NDArray[np.float64], labels: NDArray[np.int64]
) -> float:
    likelihoods = log_softmax(logits / np.exp(log_temperature), axis=1)
    return -float(likelihoods[np.arange(len(labels)), labels].mean())
