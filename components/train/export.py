"""From a trained model to the files that evaluate and the predictor run."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from components import bundle
from components.onnx import inference_session

_OPSET = 17
_TOLERANCE = 1e-3


def save_models(model: Any, tokenizer: Any, folder: Path) -> Any:
    """Save adapter and merged model with its tokenizer; returns the merged model."""
    model.save_pretrained(str(folder / bundle.ADAPTER), safe_serialization=True)
    # peft's own card is an empty form that names a path of this machine.
    (folder / bundle.ADAPTER / "README.md").unlink()
    merged = model.merge_and_unload().eval().cpu()
    merged.save_pretrained(str(folder / bundle.MERGED), safe_serialization=True)
    tokenizer.save_pretrained(str(folder / bundle.MERGED))
    return merged


def export_onnx(model: Any, tokenizer: Any, texts: Sequence[str], path: Path) -> float:
    """Export a classifier to ONNX and compare it with the original.

    The graph takes `input_ids` and `attention_mask` (int64, texts x tokens) and gives `logits`
    (float32, texts x labels).

    Args:
        model: A transformers sequence classifier in evaluation mode.
        tokenizer: Its tokenizer.
        texts: Real texts to trace and compare with; at least two.
        path: Where the ONNX file goes.

    Returns:
        The largest absolute difference of the logits.

    Raises:
        RuntimeError: If the difference exceeds 0.001.
    """
    encoded = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
    inputs = (encoded["input_ids"], encoded["attention_mask"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        expected = _Logits(model)(*inputs).numpy()
        torch.onnx.export(
            _Logits(model),
            inputs,
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={
                "input_ids": {0: "texts", 1: "tokens"},
                "attention_mask": {0: "texts", 1: "tokens"},
                "logits": {0: "texts"},
            },
            opset_version=_OPSET,
            dynamo=False,
        )
    names = ("input_ids", "attention_mask")
    feed = {name: tensor.numpy() for name, tensor in zip(names, inputs, strict=True)}
    difference = float(np.abs(inference_session(path).run(["logits"], feed)[0] - expected).max())
    if difference > _TOLERANCE:
        raise RuntimeError(f"ONNX logits differ from torch by {difference:.2g} > {_TOLERANCE:g}")
    return difference


class _Logits(torch.nn.Module):
    """Gives a classifier the plain signature that ONNX needs."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits of shape (texts, labels)."""
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits
