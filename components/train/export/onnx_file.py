"""The ONNX file of a trained model, which evaluate and the predictor run."""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from components.artifacts.model.classifier import Feed, Layout, inference_session
from components.errors import InputError, WorkError

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
        WorkError: If the difference exceeds 0.001, or a thousandth of the largest logit.
    """
    tokens = rows[:_ROWS_COMPARED]["input_ids"]
    # Other widths too: an export may be right only at the one that it was traced at.
    feeds = [layout.feed(each) for each in (tokens, [min(tokens, key=len)], tokens[:1])]
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        expected = [_Logits(model)(*_tensors(feed)).numpy() for feed in feeds]
        # Fused attention guards against texts without tokens, which costs up to a sixth of one.
        model.set_attn_implementation("eager")
        # Afterwards the model is in training mode.
        _write(_Logits(model), feeds[0], path)
    session = inference_session(path)
    given = [session.run(["logits"], feed)[0] for feed in feeds]
    difference = max(float(np.abs(a - b).max()) for a, b in zip(given, expected, strict=True))
    # Rounding errors grow with the logits.
    if not difference <= _TOLERANCE * max(1.0, *(float(np.abs(each).max()) for each in expected)):
        rule = f"gives logits that differ from torch's by {difference:.2g}, above {_TOLERANCE:g}"
        raise WorkError("ONNX export", rule, "Choose another base model, and report this one")
    return difference


def require_exportable(name: str, model: Any, rows: Dataset, layout: Layout) -> None:
    """Refuse an encoder before it is trained that could not be exported afterwards.

    Args:
        name: The encoder, for messages.
        model: A classifier that is not trained, in float32 and evaluation mode.
        rows: Tokenised rows.
        layout: How rows become tensors.

    Raises:
        InputError: If it cannot be exported to ONNX.
    """
    with TemporaryDirectory() as scratch:
        try:
            export_onnx(model, rows, layout, Path(scratch) / "model.onnx")
        except Exception as error:  # Both libraries raise what only they define.
            reason = f"{error}".partition("\n")[0]
            rule = f"cannot be served: its ONNX export fails ({reason:.300})"
            raise InputError(name, rule, "Choose another base model") from error


def _write(logits: "_Logits", feed: Feed, path: Path) -> None:
    torch.onnx.export(
        logits,
        _tensors(feed),
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


def _tensors(feed: Feed) -> tuple[torch.Tensor, ...]:
    return tuple(map(torch.from_numpy, feed.values()))


class _Logits(torch.nn.Module):
    """Gives a classifier a signature of plain tensors, which ONNX needs."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Compute logits of shape (texts, labels)."""
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits
