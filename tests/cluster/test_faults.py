"""Faults around a deploy: the API server, other writers, other deploys."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from kubernetes import client
from kubernetes.client import ApiException

from components.deploy.cluster.api import SERVICES
from components.deploy.cluster.lease import LeaseLostError
from components.errors import (
    ClusterError,
    InputError,
    LeaseError,
    RolloutError,
    ServingError,
    WorkError,
)
from tests.cluster.stage import Stage

pytestmark = pytest.mark.cluster
AWAY_SECONDS = 20


@pytest.mark.parametrize("ends", ["ready", "crash"])
def test_an_api_server_that_is_away_for_a_while(stage, ends):
    stage.deploy("old")
    stage.play("new", ends=ends, stale_seconds=4.0)
    with ThreadPoolExecutor() as pool:
        deploy = pool.submit(stage.deploy, "new")
        stage.wait_for_canary()
        stage.server.kill()
        time.sleep(AWAY_SECONDS)
        stage.server.start()
        error = deploy.exception()
    if ends == "ready":
        assert error is None
        stage.require("new")
    else:
        assert isinstance(error, RolloutError)
        stage.require("old")


def test_a_field_that_another_manager_has_set_is_kept(stage):
    stage.deploy("old")
    service = stage.service()
    service["spec"]["predictor"]["containers"][0]["image"] = "image:by-hand"
    group, version, plural = SERVICES
    client.CustomObjectsApi(stage.server.api("editor")).replace_namespaced_custom_object(
        group, version, stage.namespace, plural, "emotion", service, field_manager="by-hand"
    )
    with pytest.raises(ClusterError, match=r'conflict with "by-hand".*containers'):
        stage.deploy("new")
    stage.require("old")
    assert stage.service()["spec"]["predictor"]["containers"][0]["image"] == "image:by-hand"


def test_a_service_of_another_client_is_left_alone(stage):
    group, version, plural = SERVICES
    objects = client.CustomObjectsApi(stage.server.api("editor"))
    stage.controller.stop()
    objects.create_namespaced_custom_object(
        group, version, stage.namespace, plural, stage.manifest("old"), field_manager="by-hand"
    )
    before = stage.service()
    with pytest.raises(InputError, match="was not created by this project"):
        stage.deploy("new")
    assert stage.service() == before


@contextmanager
def storm(stage: Stage) -> Iterator[None]:
    """Change lease and service all the time, as another client."""
    over = threading.Event()

    def blow() -> None:
        api = stage.server.api("editor")
        leases, objects = client.CoordinationV1Api(api), client.CustomObjectsApi(api)
        group, version, plural = SERVICES
        for turn in range(2000):
            if over.wait(0.1):
                return
            body = {"metadata": {"labels": {"turn": str(turn)}}}
            try:
                leases.patch_namespaced_lease("emotion-deploy", stage.namespace, body)
                objects.patch_namespaced_custom_object(
                    group, version, stage.namespace, plural, "emotion", body
                )
            except ApiException as error:
                assert error.status in {404, 409}, error

    thread = threading.Thread(target=blow)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


def test_a_storm_of_conflicts(stage):
    stage.deploy("old")
    with storm(stage):
        stage.deploy("new")
        with pytest.raises(ServingError, match="no more than chance"):
            stage.deploy("bad")
    stage.require("new")
    codes = [
        event["responseStatus"]["code"]
        for event in stage.asked()
        if event["verb"] in {"update", "patch"}
    ]
    assert codes.count(409) > 0


def test_of_two_deploys_at_once_one_is_refused(stage):
    stage.deploy("old")
    together = threading.Barrier(2)

    def deploy(name: str) -> Exception | None:
        together.wait()
        try:
            stage.deploy(name)
        except WorkError as error:
            return error
        return None

    with ThreadPoolExecutor() as pool:
        good, bad = pool.map(deploy, ["new", "bad"])
    refused = [error for error in (good, bad) if isinstance(error, LeaseError)]
    assert len(refused) == 1
    stage.require("old" if good else "new")


def test_a_second_attempt_of_a_run_takes_over_from_the_first(stage):
    stage.deploy("old")
    stage.play("new", ready_seconds=5.0)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(stage.deploy, "new")
        stage.wait_for_canary()
        stage.deploy("new")
        assert isinstance(first.exception(), LeaseLostError)
    stage.require("new")
    assert stage.finished == ["old", "new"]


def test_an_evicted_or_ending_pod_does_not_count(stage):
    core = client.CoreV1Api(stage.server.api("admin"))
    container = {"name": "c", "image": "image:1"}
    for name in ("runs", "evicted", "ends"):
        labels = {"metadata": {"name": name, "labels": {"app": "x"}, "finalizers": ["test/keep"]}}
        core.create_namespaced_pod(stage.namespace, {**labels, "spec": {"containers": [container]}})
    status = {"status": {"phase": "Failed", "reason": "Evicted"}}
    core.patch_namespaced_pod_status("evicted", stage.namespace, status)
    core.delete_namespaced_pod("ends", stage.namespace)
    assert [pod["metadata"]["name"] for pod in stage.cluster.pods("app=x")] == ["runs"]
