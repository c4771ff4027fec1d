"""The text classifier of a model folder: tokenizer and ONNX Runtime; torch only if asked for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from components.artifacts.model import bundle
from components.artifacts.model.engines import (
    Feed,
    Infer,
    Layout,
    Tokens,
    inference_session,
    load_torch,
)
from components.errors import require_one_of

_BATCH_TEXTS = {"int8": 8, "fp32": 8, "torch": 32}
"""Larger batches are no faster on a CPU, and keep its other cores waiting."""


class Classifier:
    """A verified model that classifies texts; several threads may share it.

    Args:
        model: A model folder as train writes it, or what `bundle.verify` returned for one.
        threads: Threads per inference; 0 lets the engine choose.
        precision: `int8` or `fp32` for ONNX Runtime, `torch` for torch.

    Raises:
        InputError: If the folder does not verify against its manifest.
    """

    def __init__(
        self, model: Path | bundle.SealedModel, threads: int = 0, precision: str = "int8"
    ) -> None:
        require_one_of("precision", precision, tuple(_BATCH_TEXTS))
        sealed = bundle.verify(model) if isinstance(model, Path) else model
        folder, labels = sealed.folder, bundle.read_labels(sealed.folder)
        self.version = sealed.sha256
        self.task, self.labels = labels.task, labels.names
        self.temperature = labels.temperature
        self._layout = Layout(labels.pad_id, labels.max_length)
        self.width = self._layout.width
        self._tokenizer = Tokenizer.from_file(str(folder / bundle.TOKENIZER))
        self._tokenizer.enable_truncation(max_length=labels.max_length)
        self._tokenizer.no_padding()
        self.batch_texts = _BATCH_TEXTS[precision]
        self._infer = _engine(folder, threads, precision)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Classify texts: calibrated probabilities, shape (texts, labels), in their order."""
        return self.calibrated(self.logits(texts))

    def calibrated(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn logits into calibrated probabilities of the same shape."""
        scaled = logits / self.temperature
        exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
        return shares

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Run the model: its raw output, shape (texts, labels), in the order of the texts.

        A batch holds texts of one width, so that each gets the same result as on its own.
        """
        tokens = self.encode(texts)
        result = np.empty((len(tokens), len(self.labels)), dtype=np.float32)
        by_width: dict[int, list[int]] = {}
        for row, each in enumerate(tokens):
            by_width.setdefault(self.width(each), []).append(row)
        for alike in by_width.values():
            for start in range(0, len(alike), self.batch_texts):
                rows = alike[start : start + self.batch_texts]
                result[rows] = self.infer([tokens[row] for row in rows])
        return result

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokenise texts, each cut to the model's maximum length."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

    def infer(self, batch: Sequence[Tokens]) -> NDArray[np.float32]:
        """Run one batch, padded to its widest text: logits of shape (texts, labels)."""
        return self._infer(self._layout.feed(batch))


def _engine(folder: Path, threads: int, precision: str) -> Infer:
    if precision == "torch":
        return load_torch(folder / bundle.MERGED, threads)
    session = inference_session(folder / bundle.ONNX[precision], threads)

    def infer(feed: Feed) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = session.run(["logits"], feed)[0]
        return logits

    return infer
