"""Deploys from a shell: what is killed, what is run again, and the champion that follows."""

import json
import os
import signal
import subprocess
import sys

import pytest
from kubernetes import client

from components.champion import read_champion
from components.checks import InputError
from components.deploy.lease import LeaseHeld
from components.deploy.on_cluster import roll_back
from tests.cluster.conftest import SENTENCES, TASK, Stage
from tests.fakes.kserve_pods import Play
from tests.fakes.object_storage import object_storage

pytestmark = pytest.mark.cluster


def command(stage: Stage, action: str, *arguments: str) -> list[str]:
    """The command that a user would type."""
    values = [f"ready_seconds={stage.settings.ready_seconds}", "endpoint_seconds=10"]
    options = [f"--set={each}" for each in [*values, "max_latency_ms=10000"]]
    return [sys.executable, "-m", "components.deploy", action, *options, *arguments]


def deploy_command(stage: Stage, name: str, folder, *arguments: str) -> list[str]:
    """The command that deploys a model."""
    metrics = folder / "metrics.json"
    scores = {"accuracy": 0.9, "macro_f1": 0.8, "gate": {"passed": True}}
    metrics.write_text(json.dumps(scores))
    model = stage.models[name]
    given = {"--model": model.folder, "--metrics": metrics, "--run": name, "--output": folder}
    words = [str(word) for pair in given.items() for word in pair]
    return command(stage, "deploy", *words, "--model-uri", model.uri, *arguments)


def environment(stage: Stage) -> dict[str, str]:
    path = stage.server.kubeconfig("deployer", stage.namespace)
    return {**os.environ, "KUBECONFIG": str(path)}


def run(stage: Stage, words: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(
        words, env=environment(stage), capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def killed(stage, tmp_path):
    """A deploy of `new` beside `old` has been killed while its canary was starting."""
    stage.deploy("old")
    stage.play("new", ready_seconds=60.0)
    process = subprocess.Popen(deploy_command(stage, "new", tmp_path), env=environment(stage))
    try:
        stage.wait_for_canary()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    return stage


def expire_lease(stage: Stage) -> None:
    """As if the dead holder had last been heard of long ago."""
    body = {"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}}
    leases = client.CoordinationV1Api(stage.server.api("admin"))
    leases.patch_namespaced_lease("emotion-deploy", stage.namespace, body)


def test_a_deploy_that_was_killed_is_run_again(killed, tmp_path):
    killed.play("new")
    again = run(killed, deploy_command(killed, "new", tmp_path))
    assert again.returncode == 0, again.stderr
    assert "an earlier deploy was cut off" in again.stderr
    killed.require("new")


def test_after_a_deploy_that_was_killed_another_run_waits_for_its_lease(killed):
    killed.play("new")
    with pytest.raises(LeaseHeld, match="held by new"):
        killed.deploy("bad")
    expire_lease(killed)
    with pytest.raises(InputError, match="no more than chance"):
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
    roll_back(stage.cluster, stage.settings, TASK, SENTENCES)
    stage.require("old")


def test_the_champion_is_the_model_in_service(stage, tmp_path):
    with object_storage() as bucket:
        registry = f"{bucket}/registry"
        for name in ("old", "new"):
            uri = f"{registry}/{name}"
            stage.controller.plays[uri] = Play(url=stage.models[name].url)
        setting = f"--set=registry={registry}"
        first = run(stage, deploy_command(stage, "old", tmp_path, setting))
        assert first.returncode == 0, first.stderr
        champion, generation = read_champion(registry)
        assert champion.run_id == "old"

        late = run(stage, deploy_command(stage, "new", tmp_path, setting))
        assert late.returncode == 1
        assert "not the one that this was compared with" in late.stderr
        stage.require("old")

        words = deploy_command(stage, "new", tmp_path, setting)
        compared = {"accuracy": 0.9, "macro_f1": 0.8, "gate": {"passed": True}}
        compared["champion"] = {"generation": generation}
        (tmp_path / "metrics.json").write_text(json.dumps(compared))
        second = run(stage, words)
        assert second.returncode == 0, second.stderr
        stage.require("new")
        assert read_champion(registry)[0].run_id == "new"

        back = run(stage, command(stage, "rollback", setting))
        assert back.returncode == 0, back.stderr
        stage.require("old")
        assert read_champion(registry)[0].manifest_sha256 == stage.models["old"].version
        status = run(stage, command(stage, "status"))
        assert f"model-uri      {registry}/old" in status.stdout
