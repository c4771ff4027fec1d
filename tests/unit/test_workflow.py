"""The GitHub workflow: its targets exist, its actions are pinned, and its rights are few."""

import re
from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).parents[2]
TEXT = (TOP / ".github" / "workflows" / "ci.yaml").read_text()
# YAML 1.1 reads the key `on` as a Boolean.
WORKFLOW = yaml.load(TEXT, yaml.BaseLoader)  # noqa: S506 (it creates nothing but strings)
JOBS = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
MAKEFILE = (TOP / "Makefile").read_text()
CHECKS = (TOP / ".ci" / "run").read_text()


def targets():
    commands = [CHECKS, *(step.get("run", "") for step in STEPS)]
    return set(re.findall(r"make ([a-z][a-z-]*)", "\n".join(commands)))


@pytest.mark.parametrize("target", sorted(targets()))
def test_every_target_that_it_runs_exists(target):
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


def test_it_runs_the_checks_of_every_change_before_it_publishes():
    assert {"run": "bash .ci/run"} in JOBS["check"]["steps"]
    assert {"lint", "test", "test-slow", "run", "compile"} <= set(
        re.findall(r"^make ([a-z-]+)$", CHECKS, re.MULTILINE)
    )
    assert "git diff --exit-code" in CHECKS
    assert set(JOBS["release"]["needs"]) == set(JOBS) - {"release"}
    assert JOBS["release"]["if"] == "startsWith(github.ref, 'refs/tags/v')"


def test_the_container_is_pinned_by_digest():
    containers = [job["container"] for job in JOBS.values() if "container" in job]
    assert containers
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", each) for each in containers)


def test_every_image_is_built():
    (steps,) = re.findall(r"^STEPS +\?= (.*)$", MAKEFILE, re.MULTILINE)
    assert JOBS["images"]["strategy"]["matrix"]["step"] == steps.split()


def test_every_action_is_pinned_by_commit_and_names_its_version():
    used = re.findall(r"uses:(.*)", TEXT)
    assert len(used) == len([step for step in STEPS if "uses" in step])
    for each in used:
        assert re.fullmatch(r" [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*", each), each


def test_only_a_release_may_write():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    granted = {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job}
    assert granted == {"release": {"contents": "write", "packages": "write"}}


def test_a_change_from_outside_gets_no_secret():
    assert set(WORKFLOW["on"]) == {"push", "pull_request", "schedule"}
    for name, job in JOBS.items():
        assert name == "release" or "secrets." not in yaml.safe_dump(job)
    assert JOBS["release"]["environment"] == "release"


def test_the_token_is_not_left_in_the_clone():
    clones = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert len(clones) == len(JOBS)
    assert all(step["with"]["persist-credentials"] == "false" for step in clones)


def test_nothing_of_an_event_is_put_into_a_shell_command():
    assert not [step["run"] for step in STEPS if "${{" in step.get("run", "")]


def test_every_job_has_a_time_limit():
    assert all(0 < int(job["timeout-minutes"]) <= 180 for job in JOBS.values())
    assert WORKFLOW["concurrency"]["group"]
