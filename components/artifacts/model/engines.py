"""Text layout, and the engines that run a model."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tokens = Sequence[int]
"""Token ids of one text, special tokens included."""
Feed = dict[str, NDArray[np.int64]]
"""`input_ids` and `attention_mask`, both of shape (texts, tokens)."""

Infer = Callable[[Feed], NDArray[np.float32]]
"""Turns the tensors of a batch into logits of shape (texts, labels)."""

_WIDTH_STEP = 4
# Both fused kernels are slower than the nodes they replace: a fifth of the whole inference.
_SLOW_FUSIONS = ["SkipLayerNormFusion", "BiasGeluFusion"]


@dataclass(frozen=True)
class Layout:
    """Layout of texts as tensors; that of a text does not depend on the rest of its batch.

    Widths are rounded up, so that more texts share one.

    Args:
        pad_id: Id of the padding token.
        max_length: Most tokens of a text.
    """

    pad_id: int
    max_length: int

    def width(self, tokens: Tokens) -> int:
        """Return the number of a text's tokens, padding included."""
        rounded = -(-len(tokens) // _WIDTH_STEP) * _WIDTH_STEP
        return max(len(tokens), min(rounded, self.max_length))

    def feed(self, batch: Sequence[Tokens]) -> Feed:
        """Pad a batch to its widest text."""
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
        threads: Threads per inference; 0 lets ONNX Runtime choose.

    Returns:
        An `onnxruntime.InferenceSession`.
    """
    # ONNX Runtime reports usage to its maker from its import on, unless this is set first.
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


def load_torch(folder: Path, threads: int) -> Infer:
    """Load a transformers sequence classifier on the GPU, or on the CPU without one.

    Needs the packages of the `train` extra.

    Args:
        folder: Configuration and safetensors weights; nothing is fetched from a hub.
        threads: Threads per inference on the CPU; 0 lets torch choose.
    """
    import torch
    from transformers import AutoModelForSequenceClassification

    if threads:
        torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
    )
    model.eval().to(device)

    @torch.inference_mode()
    def infer(feed: Feed) -> NDArray[np.float32]:
        tensors = {name: torch.from_numpy(each).to(device) for name, each in feed.items()}
        logits: NDArray[np.float32] = model(**tensors).logits.float().cpu().numpy()
        return logits

    return infer
