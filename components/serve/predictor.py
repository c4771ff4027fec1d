"""The model behind every protocol: texts in, calibrated probabilities out."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from loky import cpu_count
from numpy.typing import NDArray

from components.artifacts.evaluation.scores import WordWeight
from components.artifacts.model.attribution import occlusions, word_weights
from components.artifacts.model.bundle import SealedModel
from components.artifacts.model.classifier import Classifier
from components.artifacts.model.version import model_version
from components.serve.answers import Refusal
from components.serve.batching import Batcher, BatchLimits
from components.serve.metrics import Metrics
from components.serve.settings import ServeSettings

_INLINE_CHARACTERS = 4096
"""Tokenising this many takes about as long as passing them to a thread and back."""
_WARM_UP_WORDS = (1, 8, 32, 128)


@dataclass(frozen=True)
class Explanation:
    """The reasons why a text got its label.

    Args:
        probabilities: Of all labels, shape (labels,).
        words: The text's words, with their weights for the most probable label.
    """

    probabilities: NDArray[np.float32]
    words: list[WordWeight]


class Predictor:
    """One model that answers all requests, within bounds and without blocking the event loop.

    Args:
        settings: Which model, and its bounds.
        model: The model folder, if it is verified already.

    Raises:
        InputError: If the model folder does not verify.
    """

    def __init__(self, settings: ServeSettings, model: SealedModel | None = None) -> None:
        self.settings = settings
        # Parallel inferences of one thread each are faster than one inference on all threads.
        threads = settings.threads or cpu_count()
        self._classifier = Classifier(model or settings.model_dir, 1, settings.precision)
        self.name, self.labels = settings.model_name, self._classifier.labels
        self.version = model_version(settings.run_id, self._classifier.version)
        self.draining = False
        self.metrics = Metrics(
            self.labels, self.version, lambda: self._batcher.waiting, lambda: self.ready
        )
        limits = BatchLimits(
            self._classifier.batch_texts,
            settings.batch_tokens,
            settings.batch_wait_ms / 1000,
            settings.queue_texts,
        )
        for words in _WARM_UP_WORDS:
            self._classifier.logits([" ".join(["word"] * words)])
        self._batcher = Batcher(
            self._classifier.infer, self._classifier.width, limits, threads, self.metrics
        )

    @property
    def ready(self) -> bool:
        """True while new requests are accepted: the model is warm and no end is near."""
        return not self.draining

    @property
    def platform(self) -> str:
        """Name of the model's framework and format, where there is one from V2's list.

        Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md#platforms
        """
        return "pytorch_safetensors" if self.settings.precision == "torch" else "onnx_onnxv1"

    def require(self, model_name: str, version: str = "") -> None:
        """Refuse a request for another model, or another version of it.

        Args:
            model_name: Name of the model.
            version: Version of the model; empty for any.

        Raises:
            Refusal: With status 404.
        """
        if model_name != self.name:
            raise Refusal(
                404, f"there is no model of this name; this predictor serves `{self.name}`"
            )
        if version not in ("", self.version):
            raise Refusal(404, f"there is no such version; this predictor serves `{self.version}`")

    async def predict(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Predict calibrated probabilities of shape (texts, labels), in the order of the texts.

        Raises:
            Refusal: If the texts break a bound.
        """
        self._require_bounds(texts, self.settings.max_texts, "max_texts")
        probabilities = self._classifier.calibrated(await self._logits(texts))
        self.metrics.predicted(probabilities)
        return probabilities

    async def explain(self, texts: Sequence[str]) -> list[Explanation]:
        """Explain predictions by leaving out each word once.

        Raises:
            Refusal: If the texts break a bound.
        """
        self._require_bounds(texts, self.settings.max_explained_texts, "max_explained_texts")
        # One text at a time, so that a request never fills the queue.
        return [self._explanation(text, await self._logits(occlusions(text))) for text in texts]

    def close(self) -> None:
        """End the inference threads; no request may follow."""
        self._batcher.close()

    def _explanation(self, text: str, logits: NDArray[np.float32]) -> Explanation:
        probabilities = self._classifier.calibrated(logits[:1])[0]
        winner = int(probabilities.argmax())
        words = word_weights(text, logits / self._classifier.temperature, winner)
        return Explanation(probabilities, words)

    async def _logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self._batcher.require_room(len(texts))
        start = time.monotonic()
        if sum(map(len, texts)) <= _INLINE_CHARACTERS:
            tokens = self._classifier.encode(texts)
        else:
            tokens = await asyncio.to_thread(self._classifier.encode, texts)
        self.metrics.tokenised(time.monotonic() - start)
        return await self._batcher.logits(tokens)

    def _require_bounds(self, texts: Sequence[str], most: int, bound: str) -> None:
        if not 1 <= len(texts) <= most:
            message = f"a request must hold 1 to {most} texts, not {len(texts)} ({bound})"
            raise Refusal(400, message, bound)
        for place, text in enumerate(texts):
            if not text.strip():
                raise Refusal.malformed(f"text {place} is empty")
            if len(text) > self.settings.max_characters:
                message = f"text {place} has {len(text)} characters; at most "
                message += f"{self.settings.max_characters} are allowed (max_characters)"
                raise Refusal(400, message, "max_characters")
