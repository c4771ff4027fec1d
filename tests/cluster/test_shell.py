"""Deploys from a shell that are killed, run again and rolled back."""

import signal
import subprocess

import pytest

from components.errors import LeaseError, ServingError
from tests.cluster.shell import command, deploy_command, environment, expire_lease, run

pytestmark = pytest.mark.cluster


@pytest.fixture
def killed(stage, tmp_path):
    """A deploy of `new` over `old` that was killed while its canary was starting."""
    stage.deploy("old")
    stage.play("new", ready_seconds=60.0)
    process = subprocess.Popen(deploy_command(stage, "new", tmp_path), env=environment(stage))
    try:
        stage.wait_for_canary()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    return stage


def test_a_deploy_that_was_killed_is_run_again(killed, tmp_path):
    killed.play("new")
    again = run(killed, deploy_command(killed, "new", tmp_path))
    assert again.returncode == 0, again.stderr
    assert "an earlier deploy was cut off" in again.stderr
    killed.require("new")


def test_after_a_deploy_that_was_killed_another_run_waits_for_its_lease(killed):
    killed.play("new")
    with pytest.raises(LeaseError, match="held by new"):
        killed.deploy("bad")
    expire_lease(killed)
    with pytest.raises(ServingError, match="no more than chance"):
        killed.deploy("bad")
    killed.require("old")


def test_a_deploy_that_was_killed_is_rolled_back(killed):
    expire_lease(killed)
    back = run(killed, command(killed, "rollback"))
    assert back.returncode == 0, back.stderr
    killed.require("old")


def test_sigterm_leaves_the_lease_to_the_next_one(stage, tmp_path):
    stage.deploy("old")
    stage.play("new", ready_seconds=60.0)
    process = subprocess.Popen(deploy_command(stage, "new", tmp_path), env=environment(stage))
    stage.wait_for_canary()
    process.terminate()
    assert process.wait(30) == 143
    stage.roll_back()
    stage.require("old")
