"""What the Workflow of a run says of its steps: what they wrote, and what came from the cache.

KFP's API has no artifacts in 2.17. What each step is to write, and where, stands in the command
that its driver gives to its pod. Source: kubeflow/pipelines 2.17.0, backend/src/v2/driver.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from components.outcome.workflow import Workflow

_INPUT = "--executor_input"


def artifacts(workflow: Workflow) -> dict[tuple[str, str], list[str]]:
    """URIs of everything that each step wrote, by step and name; cached steps write nothing."""
    found: dict[tuple[str, str], list[str]] = {}
    for node in workflow.nodes.values():
        for given in _executor_inputs(node):
            for name, listed in given.get("outputs", {}).get("artifacts", {}).items():
                uris = [each["uri"] for each in listed["artifacts"]]
                found.setdefault((workflow.step_of(node), name), []).extend(uris)
    return found


def cached(workflow: Workflow) -> set[str]:
    """The steps whose pod was left out because an earlier run had done the same."""
    return {
        workflow.step_of(node)
        for node in workflow.nodes.values()
        if node["type"] == "Skipped" and node["displayName"] == "executor"
    }


def _executor_inputs(driver: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    # A node that is retried has the outputs of its last try as well.
    if driver["type"] != "Pod":
        return
    for output in (driver.get("outputs") or {}).get("parameters") or []:
        if output["name"] != "pod-spec-patch" or not output.get("value"):
            continue
        for container in json.loads(output["value"])["containers"]:
            command = [*(container.get("command") or []), *(container.get("args") or [])]
            if _INPUT in command:
                yield json.loads(command[command.index(_INPUT) + 1])
