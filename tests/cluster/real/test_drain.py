"""A node is drained under load: the disruption budget keeps a predictor, and no request is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from kubernetes import client
from kubernetes.client import ApiException

from components.deploy.cluster.api import SERVICES
from tests.cluster.overlays import NAMESPACE
from tests.cluster.real.site import wait_for

pytestmark = pytest.mark.cluster


@pytest.fixture
def pair(served):
    """A service with two predictors that are ready."""
    group, version, plural = SERVICES
    # The next test wants a service of its own.
    served.serving = ""
    objects = client.CustomObjectsApi(served.node.server.api("admin"))
    body = {"spec": {"predictor": {"minReplicas": 2}}}
    objects.patch_namespaced_custom_object(group, version, NAMESPACE, plural, "emotion", body)
    wait_for(lambda: len(served.ready()) == 2)
    return served


def evict(site, name):
    """Ask for an eviction as `kubectl drain` does; returns whether it is granted."""
    body = client.V1Eviction(metadata=client.V1ObjectMeta(name=name, namespace=NAMESPACE))
    try:
        site.core.create_namespaced_pod_eviction(name, NAMESPACE, body)
    except ApiException as error:
        assert error.status == httpx.codes.TOO_MANY_REQUESTS, error
        return False
    return True


def test_a_drain_takes_one_predictor_at_a_time_and_loses_no_request(pair):
    over, answers = threading.Event(), []

    def ask():
        while not over.wait(0.02):
            answers.append(pair.ask()["predictions"])

    names = pair.ready()
    with ThreadPoolExecutor() as pool:
        clients = [pool.submit(ask) for _ in range(2)]
        try:
            first, second = names
            assert evict(pair, first)
            assert not evict(pair, second)
            wait_for(lambda: evict(pair, second))
            wait_for(lambda: len(pair.ready() - names) == 2)
        finally:
            over.set()
    assert [each.exception() for each in clients] == [None, None]
    assert len(answers) > 100
