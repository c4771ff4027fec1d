"""Service and champion name the same model, even if a deploy is killed between the two."""

import signal
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from components.artifacts.registry import read_champion
from components.deploy.release import Release
from components.errors import ServingError, WorkError
from tests.cluster.shell import command, deploy_command, expire_lease, run
from tests.cluster.stage import Stage
from tests.evaluations import evaluated
from tests.fakes.kserve_pods import Play

pytestmark = pytest.mark.cluster


@dataclass
class Registry:
    """A registry, and deploys to it from a shell."""

    stage: Stage
    uri: str
    folder: Path

    def words(self, name: str) -> list[str]:
        """The command that deploys a model, compared with the present champion."""
        _, generation = read_champion(self.uri)
        setting = f"--set=registry={self.uri}"
        return deploy_command(self.stage, name, self.folder, setting, generation=generation)

    def deploy(self, name: str) -> subprocess.CompletedProcess:
        return run(self.stage, self.words(name))

    def roll_back(self) -> subprocess.CompletedProcess:
        return run(self.stage, command(self.stage, "rollback", f"--set=registry={self.uri}"))

    def kill(self, name: str, moment: str) -> None:
        """Deploy, but be killed before or after the champion changes; let the lease expire."""
        words = self.words(name)
        where = words.index("components.deploy")
        words[where : where + 1] = ["tests.cluster.cut_off", moment]
        done = run(self.stage, words)
        assert done.returncode == -signal.SIGKILL, done.stderr
        expire_lease(self.stage)

    def require(self, name: str) -> None:
        """The model serves, and is the champion."""
        self.stage.require(name)
        champion, _ = read_champion(self.uri)
        assert champion.run_id == name
        assert champion.manifest_sha256 == self.stage.models[name].sha256


@pytest.fixture
def registry(stage, gs_bucket, tmp_path):
    """A registry with the champion `old`, which is in service."""
    registry = Registry(stage, f"{gs_bucket}/{stage.namespace}", tmp_path)
    for name, model in stage.models.items():
        stage.controller.plays[f"{registry.uri}/{name}/serving"] = Play(url=model.url)
    first = registry.deploy("old")
    assert first.returncode == 0, first.stderr
    registry.require("old")
    return registry


def test_the_champion_is_the_model_in_service(registry):
    late = deploy_command(
        registry.stage, "new", registry.folder, f"--set=registry={registry.uri}", generation=0
    )
    refused = run(registry.stage, late)
    assert refused.returncode == 1
    assert "no longer that of generation" in refused.stderr
    registry.require("old")

    second = registry.deploy("new")
    assert second.returncode == 0, second.stderr
    registry.require("new")

    back = registry.roll_back()
    assert back.returncode == 0, back.stderr
    registry.require("old")
    status = run(registry.stage, command(registry.stage, "status"))
    assert f"model-uri      {registry.uri}/old/serving" in status.stdout


@pytest.mark.parametrize(("moment", "kept"), [("before", "old"), ("after", "new")])
def test_a_deploy_killed_as_the_champion_changes_is_ended_by_the_next_run(registry, moment, kept):
    registry.kill("new", moment)
    assert registry.stage.serving() == "new"
    with pytest.raises(ServingError, match="no more than chance"):
        registry.stage.deploy("bad")
    registry.require(kept)


def test_a_deploy_killed_after_the_champion_changed_is_run_again(registry):
    words = registry.words("new")
    registry.kill("new", "after")
    again = run(registry.stage, words)
    assert again.returncode == 0, again.stderr
    registry.require("new")


def test_a_deploy_killed_after_the_champion_changed_is_rolled_back(registry):
    registry.kill("new", "after")
    back = registry.roll_back()
    assert back.returncode == 0, back.stderr
    registry.require("old")


def test_an_error_after_the_champion_changed_leaves_the_new_model_in_service(registry):
    stage = registry.stage
    stage.settings = replace(stage.settings, registry=registry.uri)
    model = stage.models["new"]
    _, generation = read_champion(registry.uri)
    evaluation = evaluated(generation=generation)
    release = Release(registry.uri, "new", model.uri, model.sha256, evaluation)

    def finish():
        release.crown()
        raise WorkError("storage", "went away after it had answered", "Try again")

    stage.deploy("new", finish=finish)
    registry.require("new")
