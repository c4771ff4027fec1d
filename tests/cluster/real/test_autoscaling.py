"""Predictors that follow the load: metrics-server, Kubernetes' autoscaler and KServe's, no fake."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.real.site import wait_for

pytestmark = pytest.mark.cluster
_OPTIONS = {"min_replicas": 1, "max_replicas": 2, "scale_metric": "cpu", "scale_target": 50}
_TEXTS = ["I can not believe it!", "She is gone, and nothing of it is left to me now."] * 32
_CLIENTS = 4


@pytest.fixture
def elastic(metrics, site):  # noqa: ARG001
    """A service of one predictor, or of two if one is busy."""
    done = site.run(site.deploy_call("old", **_OPTIONS))
    assert done.succeeded, done.log
    site.require("old")
    # The next test wants a service of its own.
    site.serving = ""
    return site


def answered(pod):
    """How many requests a predictor has answered."""
    page = httpx.get(f"http://{pod.status.pod_ip}:8080/metrics", trust_env=False).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "classifier_requests_total" and "predict" in sample.labels["route"]
    )


def test_replicas_follow_the_load_up_and_down_and_no_request_is_lost(elastic):
    busy, over, answers = threading.Event(), threading.Event(), []
    busy.set()

    def ask():
        """Ask until it is over, with a connection of its own each time, which may lead anywhere."""
        while not over.wait(0 if busy.is_set() else 0.2):
            texts = _TEXTS if busy.is_set() else _TEXTS[:1]
            answers.append(len(elastic.ask(texts)["predictions"]) == len(texts))

    assert len(elastic.predictors()) == 1
    with ThreadPoolExecutor() as pool:
        clients = [pool.submit(ask) for _ in range(_CLIENTS)]
        try:
            wait_for(lambda: len(elastic.ready()) == 2)
            wait_for(lambda: all(answered(each) for each in elastic.predictors()))
            busy.clear()
            wait_for(lambda: len(elastic.predictors()) == 1)
        finally:
            over.set()
    assert [each.exception() for each in clients] == [None] * _CLIENTS
    assert all(answers)
    assert len(answers) > 100
    assert len(elastic.ready()) == 1
