"""Opening ONNX models."""

import os
from pathlib import Path
from typing import Any


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
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(str(path), options, providers=providers)
