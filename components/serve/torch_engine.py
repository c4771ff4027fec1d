"""Inference by torch, for GPUs; needs the packages of the `train` extra."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification

from components.onnx import Feed
from components.serve.classifier import Infer


def load_torch(folder: Path, threads: int) -> Infer:
    """Load a transformers sequence classifier on the GPU, or on the CPU if there is none.

    Args:
        folder: Configuration and safetensors weights; nothing is fetched from a hub.
        threads: Threads of one inference on the CPU; 0 lets torch choose.
    """
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
