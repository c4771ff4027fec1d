"""The Argo Workflow behind a run of KFP: how the run ended, what failed and what waits.

KFP compiles a task `train` to two nodes: the pod `train-driver`, which resolves its inputs and asks
the cache, and the DAG `train`, which holds the pod `executor` or, with retries, its tries
`executor(0)` and `executor(1)`. Loops and conditions are DAGs with drivers too. KFP configures Argo
to retry every other node as well, so that `train(0)` may stand between `train` and what it holds.

Sources: kubeflow/pipelines 2.17.0, backend/src/v2/compiler/argocompiler;
https://argo-workflows.readthedocs.io/en/latest/fields/#nodestatus
"""

import base64
import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

SUCCEEDED, FAILED, CANCELLED, UNKNOWN = "SUCCEEDED", "FAILED", "CANCELLED", "UNKNOWN"

DRIVER, STEP = "driver", "step"

_BAD = {"Failed", "Error"}
_LEFT_OUT = {"Skipped", "Omitted"}
_DRIVER = re.compile(r"(?P<task>.+)-driver")
_BRANCH = re.compile(r"\(\d+(:.*)?\)")
# Nodes that KFP adds around and inside a task.
_INNER = re.compile(r"iteration(-item|-iterations)?|executor")
_OF_ALL = "root"


@dataclass(frozen=True)
class Failure:
    """A pod that failed, or a node of the Workflow that failed without one."""

    step: str
    """Task of the pipeline."""
    part: str
    """`driver`, KFP's own preparation of the task, or `step`, the task itself."""
    message: str
    """Argo's words."""
    pod: str
    """Name of the pod; empty if there was none."""


@dataclass(frozen=True)
class Waiting:
    """A pod that has not started."""

    step: str
    """Task of the pipeline."""
    pod: str
    """Name of the pod."""
    message: str
    """Argo's words, which do not include the pod's events; may be empty."""


class Workflow:
    """A Workflow as the API server returns it.

    Args:
        content: The object, its status included.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._metadata = content["metadata"]
        self._spec = content.get("spec") or {}
        self._status = content.get("status") or {}
        self.nodes: Mapping[str, Mapping[str, Any]] = _nodes(self._status)

    @property
    def namespace(self) -> str:
        """Namespace of the Workflow and its pods."""
        return str(self._metadata["namespace"])

    def ended(self, task: str) -> str:
        """How a task of the pipeline ended; empty if it has not.

        Args:
            task: Name of a task that occurs once, such as that of the exit handler's scope.
        """
        phases = [node["phase"] for node in self.nodes.values() if node["displayName"] == task]
        if not phases:
            return UNKNOWN
        if phases[0] in {"Running", "Pending"}:
            return ""
        if phases[0] not in _BAD:
            return SUCCEEDED if phases[0] == "Succeeded" else UNKNOWN
        # KFP terminates a run by a deadline of no time.
        stopped = self._spec.get("activeDeadlineSeconds") == 0 or self._spec.get("shutdown")
        return CANCELLED if stopped else FAILED

    def states(self) -> dict[str, str]:
        """The states of the tasks that have begun, by name, in KFP's words."""
        tasks = (node for node in self.nodes.values() if node["type"] != "Pod")
        return {self.step_of(node): str(node["phase"]).upper() for node in tasks}

    def began(self, task: str) -> bool:
        """Tell whether any part of a task was begun: a condition may have left it out."""
        begun = (node for node in self.nodes.values() if node["phase"] not in _LEFT_OUT)
        return any(self.step_of(node) == task for node in begun)

    def pod_of(self, task: str) -> str:
        """The pod in which a task was done; empty if there is none, as when the cache answered."""
        done = [
            node
            for node in self.nodes.values()
            if node["type"] == "Pod"
            and node["phase"] == "Succeeded"
            and self.step_of(node) == task
            and not _DRIVER.fullmatch(_plain(node))
        ]
        return self._pod(done[-1]) if done else ""

    def failures(self) -> list[Failure]:
        """Everything that failed by itself, in the order of time; of several tries the last."""
        bad = [node for node in self.nodes.values() if node["phase"] in _BAD and self._counts(node)]
        pods = [node for node in bad if node["type"] == "Pod"]
        causes = pods or [node for node in bad if node.get("message")]
        return [
            Failure(
                step=self.step_of(node),
                part=DRIVER if _DRIVER.fullmatch(_plain(node)) else STEP,
                message=node.get("message", ""),
                pod=self._pod(node),
            )
            for node in sorted(causes, key=lambda node: str(node.get("finishedAt")))
        ]

    def waiting(self, longer_than: timedelta, now: datetime) -> list[Waiting]:
        """The pods that have not started, and have been waiting for some time."""
        return [
            Waiting(self.step_of(node), self._pod(node), node.get("message", ""))
            for node in self.nodes.values()
            if node["type"] == "Pod"
            and node["phase"] == "Pending"
            and now - _time(node["startedAt"]) > longer_than
        ]

    def _counts(self, node: Mapping[str, Any]) -> bool:
        """False for a try after which another came, and for all that it holds."""
        if any(node["id"] in self._tries(each)[:-1] for each in self.nodes.values()):
            return False
        owner = self._owner(node)
        return not owner or self._counts(owner)

    def _tries(self, node: Mapping[str, Any]) -> list[str]:
        """The tries of a node that is retried; its exit handler stands among them."""
        if node["type"] != "Retry":
            return []
        children = [each for each in node.get("children") or [] if each in self.nodes]
        flags = {each: self.nodes[each].get("nodeFlag") or {} for each in children}
        return [each for each in children if not flags[each].get("hooked")]

    def _owner(self, node: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return self.nodes.get(node.get("boundaryID", ""))

    def step_of(self, node: Mapping[str, Any]) -> str:
        """The task of the pipeline that a node belongs to."""
        name = _plain(node)
        if found := _DRIVER.fullmatch(name):
            name = found["task"]
        owner = self._owner(node)
        if _INNER.fullmatch(name) and owner:
            return self.step_of(owner)
        return "pipeline" if name == _OF_ALL else name

    def _pod(self, node: Mapping[str, Any]) -> str:
        """The pod's name, as Argo makes it: workflow/util/pod_name.go."""
        if node["type"] != "Pod":
            return ""
        name, template = self._metadata["name"], node.get("templateName")
        prefix = f"{name}-{template}" if template else str(name)
        return f"{prefix[:242]}-{node['id'].rpartition('-')[2]}"


def _nodes(status: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The nodes by their ids; Argo packs them where they take more than a megabyte."""
    if packed := status.get("compressedNodes"):
        return dict(json.loads(gzip.decompress(base64.b64decode(packed))))
    return dict(status.get("nodes") or {})


def _plain(node: Mapping[str, Any]) -> str:
    return _BRANCH.sub("", str(node["displayName"]))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
