"""The predictor's metrics for Prometheus."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TEXTS = (1, 2, 4, 8, 16, 32, 64)
_TOKENS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
_SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)


class Metrics:
    """Counters and histograms of one predictor, in a registry of their own.

    Args:
        labels: Label names in the order of their ids.
        version: Version of the model.
        queue_texts: Returns the number of texts in the queue.
        ready: Tells if the predictor accepts requests.
    """

    def __init__(
        self,
        labels: Sequence[str],
        version: str,
        queue_texts: Callable[[], int],
        ready: Callable[[], bool],
    ) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, about: str, *names: str) -> Counter:
            return Counter(name, about, names, registry=registry)

        def histogram(name: str, about: str, buckets: Sequence[float], *names: str) -> Histogram:
            return Histogram(name, about, names, buckets=buckets, registry=registry)

        self._requests = counter("classifier_requests", "Requests by outcome", "route", "status")
        self._refused = counter("classifier_refused", "Requests beyond a bound", "bound")
        self._request_seconds = histogram(
            "classifier_request_seconds", "Time until a request was answered", _SECONDS, "route"
        )
        self._queue_seconds = histogram(
            "classifier_queue_seconds", "Time that a text waited", _SECONDS
        )
        self._tokenise_seconds = histogram(
            "classifier_tokenise_seconds", "Time to tokenise a request", _SECONDS
        )
        self._infer_seconds = histogram(
            "classifier_infer_seconds", "Time of the inference of a batch", _SECONDS
        )
        self._batch_texts = histogram("classifier_batch_texts", "Texts of a batch", _TEXTS)
        self._batch_tokens = histogram("classifier_batch_tokens", "Tokens of a batch", _TOKENS)
        self._confidence = histogram(
            "classifier_confidence", "Probability of the predicted label", _SHARES
        )
        predictions = counter("classifier_predictions", "Texts by predicted label", "label")
        self._predictions = [predictions.labels(label) for label in labels]
        waiting = Gauge("classifier_queue_texts", "Texts in the queue", registry=registry)
        waiting.set_function(queue_texts)
        takes = Gauge("classifier_ready", "1 while requests are accepted", registry=registry)
        takes.set_function(ready)
        model = Gauge("classifier_model_info", "The model", ("version",), registry=registry)
        model.labels(version).set(1)

    def request(self, route: str, status: int | str, seconds: float) -> None:
        """Count an answered request.

        Args:
            route: Template of its path, so that there are few values.
            status: HTTP status, or the name of a gRPC status.
            seconds: Time until the answer.
        """
        self._requests.labels(route, status).inc()
        self._request_seconds.labels(route).observe(seconds)

    def refused(self, bound: str) -> None:
        """Count a request that exceeded the setting of this name."""
        self._refused.labels(bound).inc()

    def tokenised(self, seconds: float) -> None:
        """Count the time to tokenise the texts of a request."""
        self._tokenise_seconds.observe(seconds)

    def batch(self, texts: int, tokens: int, waited: Sequence[float], seconds: float) -> None:
        """Count a batch; see `components.serve.batching.BatchObserver`."""
        self._batch_texts.observe(texts)
        self._batch_tokens.observe(tokens)
        self._infer_seconds.observe(seconds)
        for each in waited:
            self._queue_seconds.observe(each)

    def predicted(self, probabilities: NDArray[np.float32]) -> None:
        """Count predictions by their probabilities, shape (texts, labels)."""
        for winner, share in zip(
            probabilities.argmax(axis=1), probabilities.max(axis=1).tolist(), strict=True
        ):
            self._predictions[winner].inc()
            self._confidence.observe(share)

    def exposition(self) -> bytes:
        """Write all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
