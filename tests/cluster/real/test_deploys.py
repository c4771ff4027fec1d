"""Deploys by the step's own pod to KServe's own controller, each ending with one model serving."""

import pytest

from components.artifacts.registry import read_champion
from tests.cluster.real.site import REGISTRY

pytestmark = pytest.mark.cluster


def test_a_first_model_an_update_and_a_rollback(site):
    first = site.deploy("old")
    assert first.succeeded, first.log
    site.require("old")
    assert site.ask_over_grpc() == site.version("old")

    second = site.deploy("new")
    assert second.succeeded, second.log
    site.require("new")

    status = site.operate("status")
    assert status.returncode == 0, status.stderr
    assert site.runs["new"] in status.stdout
    assert "ready" in status.stdout

    back = site.operate("rollback")
    assert back.returncode == 0, back.stderr
    site.require("old")


NO_IMAGE = {"image": "localhost:5001/emotion-pipeline/serve@sha256:" + "0" * 64}
TOO_SLOW = {"max_latency_ms": 0.1}


def test_a_model_that_cannot_be_loaded_leaves_the_old_one_in_service(served):
    before = served.serving
    failed = served.deploy("broken")
    assert not failed.succeeded, failed.log
    assert "CrashLoopBackOff" in failed.log
    served.require(before)


@pytest.mark.parametrize(
    ("options", "reason"), [(NO_IMAGE, "ImagePullBackOff"), (TOO_SLOW, "ms per sentence")]
)
def test_a_good_model_that_does_not_come_to_serve_leaves_the_old_one(served, options, reason):
    before = served.serving
    failed = served.run(served.deploy_call(served.other(), **options))
    assert not failed.succeeded, failed.log
    assert reason in failed.log
    served.require(before)


def test_a_first_model_that_fails_leaves_nothing_behind(site):
    failed = site.run(site.deploy_call("old", **TOO_SLOW))
    assert not failed.succeeded, failed.log
    assert "ms per sentence" in failed.log
    assert site.service() is None
    assert read_champion(REGISTRY) == (None, 0)
