"""A text classifier from a model folder: tokenizer and ONNX Runtime, no torch by default."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from components import bundle
from components.checks import require_one_of
from components.onnx import inference_session

Tokens = Sequence[int]
"""Token ids of one text, special tokens included."""
Infer = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]
"""From ids and mask, both of shape (texts, tokens), to logits of shape (texts, labels)."""

_BATCH_TEXTS = {"int8": 1, "fp32": 32, "torch": 32}
"""An int8 model scales activations by the whole batch, so that a text's answer would depend on its
neighbours in it; alone it is the same whatever else is asked."""


@dataclass(frozen=True)
class Prediction:
    """The most probable label of a text and the probabilities of all labels."""

    label: str
    probabilities: Mapping[str, float]


class Classifier:
    """Classifies texts with a verified model; may be used by several threads at a time.

    Args:
        folder: A model folder as train writes it.
        threads: Threads for one inference; 0 lets the engine choose.
        precision: `int8` or `fp32` for ONNX Runtime, `torch` for torch.

    Raises:
        InputError: If the folder does not verify against its manifest.
    """

    def __init__(self, folder: Path, threads: int = 0, precision: str = "int8") -> None:
        require_one_of("precision", precision, tuple(_BATCH_TEXTS))
        self.version = bundle.verify(folder).sha256
        description = bundle.read_labels(folder)
        self.task, self.labels = description.task, description.names
        self.temperature = description.temperature
        self._pad_id = description.pad_id
        self._tokenizer = Tokenizer.from_file(str(folder / bundle.TOKENIZER))
        self._tokenizer.enable_truncation(max_length=description.max_length)
        self._tokenizer.no_padding()
        self.batch_texts = _BATCH_TEXTS[precision]
        self._infer = _engine(folder, threads, precision)

    def classify(self, texts: Sequence[str]) -> list[Prediction]:
        """The prediction for each text, in their order."""
        return [
            Prediction(
                self.labels[int(row.argmax())],
                dict(zip(self.labels, row.astype(float).tolist(), strict=True)),
            )
            for row in self.probabilities(texts)
        ]

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated probabilities of shape (texts, labels), rows in the order of the texts."""
        return self.calibrated(self.logits(texts))

    def calibrated(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities that are as high as the share of right answers; shapes as the logits."""
        scaled = logits / self.temperature
        exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
        return shares

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The model's output as it is, of shape (texts, labels), rows in the order of the texts.

        Texts are run in batches of like length, since padding costs more than batching gains.
        """
        tokens = self.encode(texts)
        by_length = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
        result = np.empty((len(tokens), len(self.labels)), dtype=np.float32)
        for start in range(0, len(tokens), self.batch_texts):
            rows = by_length[start : start + self.batch_texts]
            result[rows] = self.infer([tokens[row] for row in rows])
        return result

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Token ids of each text, cut to the model's maximum length."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

    def infer(self, batch: Sequence[Tokens]) -> NDArray[np.float32]:
        """Logits of one batch, shape (texts, labels); texts are padded to the longest."""
        ids = np.full((len(batch), max(map(len, batch))), self._pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return self._infer(ids, mask)


def _engine(folder: Path, threads: int, precision: str) -> Infer:
    if precision == "torch":
        from components.serve.torch_engine import load_torch

        return load_torch(folder / bundle.MERGED, threads)
    session = inference_session(folder / bundle.ONNX[precision], threads)

    def infer(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = session.run(
            ["logits"], {"input_ids": ids, "attention_mask": mask}
        )[0]
        return logits

    return infer
