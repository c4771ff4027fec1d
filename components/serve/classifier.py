"""A text classifier from a model folder: tokenizer and ONNX Runtime, no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from components import bundle
from components.checks import require_one_of
from components.onnx import inference_session

_BATCH_SIZES = {"int8": 1, "fp32": 32}
"""An int8 model scales activations by the whole batch, so that a text's answer would depend on its
neighbours in it; alone it is the same whatever else is asked."""


@dataclass(frozen=True)
class Prediction:
    """The most probable label of a text and the probabilities of all labels."""

    label: str
    probabilities: Mapping[str, float]


class Classifier:
    """Classifies texts with a verified model.

    Args:
        folder: A model folder as train writes it.
        threads: Threads for one inference; 0 lets ONNX Runtime choose.
        precision: `int8` or `fp32`.

    Raises:
        InputError: If the folder does not verify against its manifest.
    """

    def __init__(self, folder: Path, threads: int = 0, precision: str = "int8") -> None:
        require_one_of("precision", precision, tuple(bundle.ONNX))
        self.version = bundle.verify(folder).sha256
        description = bundle.read_labels(folder)
        self.task, self.labels = description.task, description.names
        self._tokenizer = Tokenizer.from_file(str(folder / bundle.TOKENIZER))
        self._tokenizer.enable_truncation(max_length=description.max_length)
        self._tokenizer.enable_padding(
            pad_id=description.pad_id, pad_token=self._tokenizer.id_to_token(description.pad_id)
        )
        self.temperature = description.temperature
        self._batch_size = _BATCH_SIZES[precision]
        self._session = inference_session(folder / bundle.ONNX[precision], threads)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated probabilities of shape (texts, labels), rows in the order of the texts."""
        scaled = self.logits(texts) / self.temperature
        exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
        return shares

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The model's output as it is, of shape (texts, labels), rows in the order of the texts.

        Texts are run in batches of like length, since padding costs more than batching gains.
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        lengths = [sum(encoding.attention_mask) for encoding in encodings]
        by_length = np.argsort(lengths, kind="stable")
        result = np.empty((len(texts), len(self.labels)), dtype=np.float32)
        for start in range(0, len(texts), self._batch_size):
            rows = by_length[start : start + self._batch_size]
            longest = lengths[rows[-1]]
            result[rows] = self._infer(
                np.array([encodings[row].ids[:longest] for row in rows]),
                np.array([encodings[row].attention_mask[:longest] for row in rows]),
            )
        return result

    def classify(self, texts: Sequence[str]) -> list[Prediction]:
        """The prediction for each text, in their order."""
        return [
            Prediction(
                self.labels[int(row.argmax())],
                dict(zip(self.labels, row.astype(float).tolist(), strict=True)),
            )
            for row in self.probabilities(texts)
        ]

    def _infer(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        inputs = {"input_ids": ids, "attention_mask": mask}
        logits: NDArray[np.float32] = self._session.run(["logits"], inputs)[0]
        return logits
