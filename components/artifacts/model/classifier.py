"""The text classifier of a model folder: tokenizer and ONNX Runtime; torch only if asked for."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from components.artifacts.model import bundle
from components.errors import InputError, require_one_of

Tokens = Sequence[int]
"""Token ids of one text, special tokens included."""
Feed = dict[str, NDArray[np.int64]]
"""`input_ids` and `attention_mask`, both of shape (texts, tokens)."""

Infer = Callable[[Feed], NDArray[np.float32]]
"""Turns the tensors of a batch into logits of shape (texts, labels)."""

_BATCH_TEXTS = {"int8": 8, "fp32": 8, "torch": 32}
"""Larger batches are no faster on a CPU, and keep its other cores waiting."""
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


def cutting(tokenizer: Tokenizer, max_length: int) -> Tokenizer:
    """Have a tokenizer cut the end of long texts, and pad none, in training as in serving.

    Args:
        tokenizer: What its file asks for in this respect is overruled.
        max_length: Most tokens of a text, special tokens included.
    """
    tokenizer.enable_truncation(max_length=max_length, direction="right")
    tokenizer.no_padding()
    return tokenizer


class Classifier:
    """A verified model that classifies texts; several threads may share it.

    Args:
        model: A model folder as train writes it, or what `bundle.verify` returned for one.
        threads: Threads per inference; 0 lets the engine choose.
        precision: `int8` or `fp32` for ONNX Runtime, `torch` for torch.

    Raises:
        InputError: If the folder does not verify against its manifest, or is reduced to what
            serves in another precision.
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
        tokenizer = Tokenizer.from_file(str(folder / bundle.TOKENIZER))
        self._tokenizer = cutting(tokenizer, labels.max_length)
        self.special_tokens = tokenizer.num_special_tokens_to_add(False)
        # What replaces a word that the vocabulary lacks; the tokens of some models lack nothing.
        name = getattr(tokenizer.model, "unk_token", None) or "<unk>"
        self.unknown_id: int | None = tokenizer.token_to_id(name)
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
        """Run the model: its raw output, shape (texts, labels), in the order of the texts."""
        tokens = self.encode(texts)
        result = np.empty((len(tokens), len(self.labels)), dtype=np.float32)
        for rows in self.batches(tokens):
            result[rows] = self.infer([tokens[row] for row in rows])
        return result

    def batches(self, tokens: Sequence[Tokens]) -> Iterator[list[int]]:
        """Group texts into batches for `infer`, each as the places of its texts.

        A batch holds texts of one width, so that each gets the same result as on its own.
        """
        by_width: dict[int, list[int]] = {}
        for row, each in enumerate(tokens):
            by_width.setdefault(self.width(each), []).append(row)
        for alike in by_width.values():
            for start in range(0, len(alike), self.batch_texts):
                yield alike[start : start + self.batch_texts]

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokenise texts, each cut to the model's maximum length."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def infer(self, batch: Sequence[Tokens]) -> NDArray[np.float32]:
        """Run one batch, padded to its widest text: logits of shape (texts, labels)."""
        return self._infer(self._layout.feed(batch))


def inference_session(path: Path, threads: int = 0) -> Any:
    """Load an `onnxruntime.InferenceSession` on the CPU; with 0 threads ONNX Runtime chooses."""
    # ONNX Runtime reports usage to its maker from its import on, unless this is set first.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        str(path), options, ["CPUExecutionProvider"], disabled_optimizers=_SLOW_FUSIONS
    )


def _load_torch(folder: Path, threads: int) -> Infer:
    """Load a transformers model on the GPU, or on the CPU without one; needs the extra `train`."""
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


def _engine(folder: Path, threads: int, precision: str) -> Infer:
    needed = bundle.ONNX.get(precision, f"{bundle.MERGED}/config.json")
    if not (folder / needed).exists():
        rule = f"holds only what serves in int8, and lacks {needed}"
        raise InputError(f"model {folder}", rule, "Use the whole model folder, or int8")
    if precision == "torch":
        return _load_torch(folder / bundle.MERGED, threads)
    session = inference_session(folder / needed, threads)
    return lambda feed: session.run(["logits"], feed)[0]
