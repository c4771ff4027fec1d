"""The time series that Prometheus stores for a predictor."""

import numpy as np

from components.serve.metrics import Metrics


def series() -> dict[str, frozenset[str]]:
    """Label names of each time series by name, without those of the process."""
    metrics = Metrics(["joy"], "version", queue_texts=lambda: 0, ready=lambda: True)
    # A series with labels exists once something was counted.
    metrics.request("/", 200, 0.1)
    metrics.refused("queue_texts")
    metrics.tokenised(0.1)
    metrics.batch(1, 8, [0.1], 0.1)
    metrics.predicted(np.array([[1.0]], dtype=np.float32))
    return {
        sample.name: frozenset(sample.labels)
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name.startswith("classifier_") and not sample.name.endswith("_created")
    }
