"""Workflows that KFP 2.17.0 and Argo 4.0.5 have left, cut down to what is read of their nodes.

Argo is configured there as KFP ships it: every node is retried, drivers and groups included.
"""

import json
from pathlib import Path

import pytest

from components.outcome.workflow import Workflow

FOLDER = Path(__file__).parent / "workflows"
SCOPE = "exit-handler-1"


@pytest.fixture
def read():
    return lambda name: Workflow(json.loads((FOLDER / f"{name}.json").read_text()))


def test_a_step_that_failed_is_found_among_its_groups_and_the_exit_handler(read):
    workflow = read("step_failed")
    assert workflow.ended(SCOPE) == "FAILED"
    found = [(each.step, each.part, each.message) for each in workflow.failures()]
    assert found == [
        (step, "step", "main: Error (exit code 1)") for step in ("preflight", "outcome")
    ]
    assert workflow.failures()[0].pod == (
        "emotion-5cxv5-metadata-0-1-system-container-impl-4024993318"
    )


def test_a_pod_that_was_deleted_and_tried_again_in_another_group_is_no_failure(read):
    workflow = read("pod_deleted_and_tried_again")
    assert workflow.ended(SCOPE) == "SUCCEEDED"
    assert workflow.failures() == []


def test_a_whole_run_with_a_loop_and_a_condition_has_succeeded(read):
    workflow = read("succeeded")
    assert workflow.ended(SCOPE) == "SUCCEEDED"
    assert workflow.failures() == []
    assert workflow.began("deploy")
    named = {workflow.step_of(node) for node in workflow.nodes.values() if node["type"] == "Pod"}
    assert {"preflight", "generate", "merge", "train", "evaluate", "deploy", "outcome"} <= named
    deployed = workflow.pod_of("deploy")
    assert deployed == "emotion-5f4c2-metadata-0-1-system-container-impl-3408152009"
    assert workflow.pod_of("no-such-step") == ""


def test_a_driver_that_failed_in_a_loop_is_named_by_its_step(read):
    (failure,) = read("driver_in_loop_failed").failures()
    assert (failure.step, failure.part) == ("both", "driver")
    assert failure.pod == "submit-probe-27262-system-container-driver-1484188626"
