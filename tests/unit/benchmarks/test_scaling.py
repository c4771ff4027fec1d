"""What the benchmark reads from the metrics of a predictor."""

from components.serve.metrics import Metrics
from tests.benchmarks.bench_scaling import sums


def test_the_seconds_of_all_routes_but_the_scrapes_are_one_sum():
    metrics = Metrics(["joy"], "run:hash", queue_texts=lambda: 0, ready=lambda: True)
    metrics.request("/v1/models/{model}:predict", 200, 0.5)
    metrics.request("/v2/models/{model}/infer", 503, 0.25)
    metrics.request("/metrics", 200, 8.0)
    metrics.batch(2, 16, waited=[0.125, 0.25], seconds=0.5)
    cpu, under_way, waiting = sums(metrics.exposition().decode()).values()
    assert (under_way, waiting) == (0.75, 0.375)
    assert cpu > 0
