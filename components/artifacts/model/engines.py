"""Running a model: how texts are laid out for it, and the engines that run it."""

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
"""From tensors of a batch to logits of shape (texts, labels)."""

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


def load_torch(folder: Path, threads: int) -> Infer:
    """Load a transformers sequence classifier on the GPU, or on the CPU if there is none.

    It needs the packages of the `train` extra.

    Args:
        folder: Configuration and safetensors weights; nothing is fetched from a hub.
        threads: Threads of one inference on the CPU; 0 lets torch choose.
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
