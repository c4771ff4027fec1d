"""The try-out of a model from outside of its cluster, against a real predictor."""

import socket
from dataclasses import replace
from urllib.parse import urlparse

import pytest

from components.artifacts.task import load_task
from components.deploy.cluster.api import SERVICES
from components.deploy.cluster.service import ServiceAddress
from components.deploy.inference_service import FACT, STANDARD, inference_service
from components.deploy.smoke_test import UnreachableError, smoke_test_of
from components.deploy.try_out import TryOut
from components.errors import ServingError
from tests.fakes.kubernetes_api import kubernetes_api

NOTES = {FACT.format("run"): "run-7", FACT.format("model-sha256"): "0"}
SERVICE = inference_service("emotion", "gs://models/1", "image:1", NOTES, STANDARD)
TEST = smoke_test_of("emotion", load_task("emotion"))
AWAY = ServiceAddress("http://emotion-predictor.emotion.svc.cluster.invalid")


def try_out(address, test=TEST, required=True, **settings):
    """Try a model out; returns the pods to which ports were forwarded."""
    with kubernetes_api(**settings) as (cluster, fake):
        cluster.apply(SERVICES, SERVICE)
        TryOut(cluster, SERVICE, test, required=required)(address)
        return fake.forwarded


def test_an_address_that_resolves_is_asked_itself(predictor_url):
    assert try_out(ServiceAddress(predictor_url)) == []


def test_behind_an_address_that_does_not_resolve_a_pod_is_asked(predictor_url):
    # The latency of the detour says nothing about the model.
    test = replace(TEST, max_latency_ms=0.001)
    pods = try_out(AWAY, test, port=urlparse(predictor_url).port)
    assert set(pods) == {"emotion-stable"}


def test_a_pod_that_answers_badly_fails(predictor_url):
    other = smoke_test_of("another-name", load_task("emotion"))
    with pytest.raises(ServingError, match="answered 404"):
        try_out(AWAY, other, required=False, port=urlparse(predictor_url).port)


def test_without_any_way_to_it_a_deploy_says_that_it_was_not_tried_out(caplog):
    caplog.set_level("INFO")
    with pytest.raises(UnreachableError, match=r"cluster\.invalid: did not answer, so"):
        try_out(AWAY)
    assert "pod emotion-stable: cannot be reached through the API server" in caplog.text


def test_without_any_way_to_it_a_rollback_stays(caplog):
    try_out(AWAY, required=False)
    assert "not tried out, and in service nevertheless" in caplog.text


def test_a_pod_that_is_gone_meanwhile_fails():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(ServingError, match="did not answer"):
        try_out(AWAY, port=port)
