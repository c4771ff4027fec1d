"""The predictor's Prometheus metrics: what alerts and dashboard may ask for."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """Type of a metric and its own labels."""

    kind: str
    labels: tuple[str, ...] = ()


METRICS: Mapping[str, Metric] = {
    "emotion_requests_total": Metric("counter", ("route", "status")),
    "emotion_request_seconds": Metric("histogram", ("route",)),
    "emotion_queue_seconds": Metric("histogram"),
    "emotion_tokenise_seconds": Metric("histogram"),
    "emotion_infer_seconds": Metric("histogram"),
    "emotion_batch_texts": Metric("histogram"),
    "emotion_batch_tokens": Metric("histogram"),
    "emotion_queue_texts": Metric("gauge"),
    "emotion_refused_total": Metric("counter", ("bound",)),
    "emotion_predictions_total": Metric("counter", ("label",)),
    "emotion_confidence": Metric("histogram"),
    "emotion_model_info": Metric("gauge", ("version",)),
    "emotion_ready": Metric("gauge"),
}


def series() -> dict[str, frozenset[str]]:
    """Labels of each time series, by the name that Prometheus stores it under."""
    found: dict[str, frozenset[str]] = {}
    for name, metric in METRICS.items():
        if metric.kind == "histogram":
            found[f"{name}_bucket"] = frozenset({*metric.labels, "le"})
            found[f"{name}_sum"] = found[f"{name}_count"] = frozenset(metric.labels)
        else:
            found[name] = frozenset(metric.labels)
    return found
