"""Running exported models: how texts are laid out for them, and how they are opened."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tokens = Sequence[int]
"""Token ids of one text, special tokens included."""
Feed = dict[str, NDArray[np.int64]]
"""`input_ids` and `attention_mask`, both of shape (texts, tokens)."""

_WIDTH_STEP = 4
# Both fused kernels are slower than what they replace: together a fifth of the whole inference.
_SLOW_FUSIONS = ["SkipLayerNormFusion", "BiasGeluFusion"]


@dataclass(frozen=True)
class Layout:
    """How texts become tensors: the same for one text alone as in any batch of its width.

    Widths are rounded up, so that more texts have the same one.

    Args:
        pad_id: Id of the padding token.
        max_length: Tokens of the longest text.
    """

    pad_id: int
    max_length: int

    def width(self, tokens: Tokens) -> int:
        """Tokens of a text, padding included."""
        rounded = -(-len(tokens) // _WIDTH_STEP) * _WIDTH_STEP
        return max(len(tokens), min(rounded, self.max_length))

    def feed(self, batch: Sequence[Tokens]) -> Feed:
        """Tensors of a batch, as wide as its widest text."""
        ids = np.full((len(batch), max(map(self.width, batch))), self.pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return {"input_ids": ids, "attention_mask": mask}


def inference_session(path: Path, threads: int = 0) -> Any:
    """Load an ONNX model on the CPU.

    Args:
        path: The model file.
        threads: Threads of one inference; 0 lets ONNX Runtime choose.

    Returns:
        An `onnxruntime.InferenceSession`.
    """
    # ONNX Runtime reports usage to its maker from its import on, unless this is set before.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        str(path),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=_SLOW_FUSIONS,
    )
