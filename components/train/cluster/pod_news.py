"""What the pods of a job have to say: logs as they grow, what they wait for, how they fail."""

import logging
import re
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from components.errors import ClusterError
from components.train.cluster.api import StepCluster

_log = logging.getLogger(__name__)
_INDEX = "batch.kubernetes.io/job-completion-index"
_TRY = "jobset.sigs.k8s.io/restart-attempt"
_POD_NAME = re.compile(r'"[^"]+-[a-z0-9]{5}"')
_OOM = "OOMKilled"
_LINES_KEPT = 20
# A log is asked for by whole seconds of the kubelet's clock.
_OVERLAP_SECONDS = 5

Pod = Mapping[str, Any]


class PodNews:
    """Follows the pods of a job, which may start again under other names.

    Args:
        cluster: The namespace of the job.
        selector: Labels of its pods.
        container: Name of the container whose log is read.
        followed: Completion index of the pods whose log is relayed; None for none.
    """

    def __init__(
        self, cluster: StepCluster, selector: str, container: str, followed: str | None
    ) -> None:
        self._cluster, self._selector = cluster, selector
        self._container, self._followed = container, followed
        self._seen: dict[str, str] = {}
        self._asked: dict[str, float] = {}
        self._warnings: set[str] = set()
        self._waits: dict[str, str] = {}
        self._failures: dict[str, tuple[int, str, str]] = {}
        self._last_lines: deque[str] = deque(maxlen=_LINES_KEPT)

    def look(self) -> None:
        """Log what is new since the last look."""
        self._tell_warnings()
        for pod in self._cluster.pods(self._selector):
            name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
            if (wait := _waits_for(pod)) != self._waits.get(uid, ""):
                self._waits[uid] = wait
                _log.info("train: pod %s %s", name, f"waits: {wait}" if wait else "runs")
            if pod["metadata"].get("labels", {}).get(_INDEX, "none") == self._followed:
                self._relay(pod)
            if uid not in self._failures and (reason := _failure(pod)):
                told = f"pod {name} {reason}: {self._last_words(name)}"
                self._failures[uid] = (_try(pod), _ended_at(pod), told)
                _log.warning("train: pod %s %s", name, reason)

    def failure(self) -> str:
        """Say which pod of the last try failed first, and its last lines.

        The pods that end after it only miss it. Without a pod that was seen to fail, it is the last
        lines of the log that is relayed.
        """
        last = max((each[0] for each in self._failures.values()), default=0)
        failed = sorted(each[1:] for each in self._failures.values() if each[0] == last)
        return failed[0][1] if failed else " | ".join(self._last_lines)

    def _tell_warnings(self) -> None:
        """Log what keeps the job from making pods, such as a quota; no object's status says it."""
        for message in self._cluster.warnings(self._selector.partition("=")[2]):
            # Pods have names of their own, and each try one.
            reason = _POD_NAME.sub("...", message)
            if reason not in self._warnings:
                self._warnings.add(reason)
                _log.warning("train: %s", message)

    def _relay(self, pod: Pod) -> None:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        if pod["status"].get("phase") == "Pending":
            return
        asked, self._asked[uid] = self._asked.get(uid), time.monotonic()
        since = {} if asked is None else {"since_seconds": _seconds_since(asked)}
        try:
            told = self._cluster.log(name, self._container, **since)
        except ClusterError:
            # The pod may have gone since it was listed, or its node may be away.
            self._asked.pop(uid)
            return
        before = self._seen.get(uid, "")
        for moment, line in _lines(told):
            # Some runtimes give several lines one time.
            if moment > before:
                self._seen[uid] = moment
                self._last_lines.append(line)
                _log.info("%s", line)

    def _last_words(self, name: str) -> str:
        try:
            told = self._cluster.log(name, self._container, tail_lines=_LINES_KEPT)
        except ClusterError as error:
            return f"its log cannot be read, {error.rule}"
        return " | ".join(line for _, line in _lines(told))


def _seconds_since(moment: float) -> int:
    return int(time.monotonic() - moment) + _OVERLAP_SECONDS


def _lines(told: str) -> Iterator[tuple[str, str]]:
    for each in told.split("\n"):
        moment, _, line = each.partition(" ")
        # A progress bar draws itself again and again in one line.
        if shown := line.rstrip().rpartition("\r")[2]:
            yield moment, shown


def _waits_for(pod: Pod) -> str:
    """What keeps a pod from running; empty if nothing does."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason', '')}: {condition.get('message', '')}"
    for container in status.get("containerStatuses") or ():
        if waiting := (container.get("state") or {}).get("waiting"):
            return f"{waiting.get('reason', '')}: {waiting.get('message', '')}".rstrip(": ")
    return ""


def _failure(pod: Pod) -> str:
    """How a pod failed; empty if it did not."""
    status = pod.get("status") or {}
    ended = _terminated(pod)
    if ended.get("exitCode"):
        return f"ended with status {ended['exitCode']} ({ended.get('reason', 'Error')})"
    if status.get("phase") == "Failed":
        return f"failed ({status.get('reason', 'lost')})"
    return ""


def _ended_at(pod: Pod) -> str:
    return str(_terminated(pod).get("finishedAt", ""))


def _terminated(pod: Pod) -> Mapping[str, Any]:
    """The end of the container that failed first; a sidecar fails after the one that it watches."""
    containers = (pod.get("status") or {}).get("containerStatuses") or ()
    ends = [(each.get("state") or {}).get("terminated") or {} for each in containers]
    failed = [each for each in ends if each.get("exitCode")]
    return min(
        failed,
        key=lambda each: (each.get("reason") != _OOM, str(each.get("finishedAt"))),
        default={},
    )


def _try(pod: Pod) -> int:
    return int(pod["metadata"].get("labels", {}).get(_TRY, 0))
