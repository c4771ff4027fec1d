"""The ONNX file of a trained model, which evaluate and the predictor run."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from components.artifacts.model.classifier import Layout, inference_session
from components.errors import WorkError

_OPSET = 17
_TOLERANCE = 1e-3
_ROWS_COMPARED = 64


def export_onnx(model: Any, rows: Dataset, layout: Layout, path: Path) -> float:
    """Export a classifier to ONNX and compare it with the original.

    The graph takes `input_ids` and `attention_mask` (int64, texts x tokens) and returns `logits`
    (float32, texts x labels).

    Args:
        model: A transformers sequence classifier in evaluation mode.
        rows: Tokenised rows; the first few serve for tracing and comparing.
        layout: How rows become tensors.
        path: The ONNX file to write.

    Returns:
        The largest absolute difference of the logits.

    Raises:
        WorkError: If the difference exceeds 0.001.
    """
    feed = layout.feed(rows[:_ROWS_COMPARED]["input_ids"])
    inputs = tuple(map(torch.from_numpy, feed.values()))
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        expected = _Logits(model)(*inputs).numpy()
        torch.onnx.export(
            _Logits(model),
            inputs,
            str(path),
            input_names=list(feed),
            output_names=["logits"],
            dynamic_axes={
                "input_ids": {0: "texts", 1: "tokens"},
                "attention_mask": {0: "texts", 1: "tokens"},
                "logits": {0: "texts"},
            },
            opset_version=_OPSET,
            dynamo=False,
        )
    difference = float(np.abs(inference_session(path).run(["logits"], feed)[0] - expected).max())
    if difference > _TOLERANCE:
        rule = f"gives logits that differ from torch's by {difference:.2g}, above {_TOLERANCE:g}"
        raise WorkError("ONNX export", rule, "Choose another base model, and report this one")
    return difference


class _Logits(torch.nn.Module):
    """Gives a classifier a signature of plain tensors, which ONNX needs."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Compute logits of shape (texts, labels)."""
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits
