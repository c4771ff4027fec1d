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


NO_IMAGE = "localhost:5001/emotion-pipeline/serve@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("model", "image", "reason"),
    [
        ("broken", "", "CrashLoopBackOff"),
        ("other", NO_IMAGE, "ImagePullBackOff"),
        ("wrong", "", "no more than chance"),
    ],
)
def test_a_model_that_is_no_good_leaves_the_old_one_in_service(served, model, image, reason):
    before = served.serving
    candidate = served.other() if model == "other" else model
    failed = served.run(served.deploy_call(candidate, image=image))
    assert not failed.succeeded, failed.log
    assert reason in failed.log
    served.require(before)


def test_a_first_model_that_fails_leaves_nothing_behind(site):
    failed = site.deploy("wrong")
    assert not failed.succeeded, failed.log
    assert site.service() is None
    assert read_champion(REGISTRY) == (None, 0)
