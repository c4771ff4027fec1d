"""A job of another system that a step starts, waits for, and takes with it when it is stopped."""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.api_server import ConflictError
from components.errors import WorkError
from components.train.cluster.api import Kind, StepCluster
from components.train.cluster.pod_news import PodNews
from components.train.cluster.step_pod import StepPod

_log = logging.getLogger(__name__)
_SUSPENDED = "Suspended"
_ADMISSION = "waits to be admitted by its queue"


@dataclass(frozen=True)
class JobKind:
    """How a system is asked for a job, and how it says what becomes of it.

    Args:
        path: Group, version and plural of the kind.
        pods: Label of the job's pods; its value is the name of the job.
        complete: Type of the condition that holds once the job has succeeded.
        failed: The same, once it has failed.
        container: The container of such a pod whose log tells what the training said.
        followed: Completion index of the pod whose log is the job's progress; None for none.
        progress: Says how far the job is, given the job; an empty text says nothing.
    """

    path: Kind
    pods: str
    container: str
    complete: str = "Complete"
    failed: str = "Failed"
    followed: str | None = "0"
    progress: Callable[[Mapping[str, Any]], str] = lambda _: ""


def work_name(prefix: str, output: str) -> str:
    """A name that every try of the work for this output makes, and no other work."""
    return f"{prefix}-{hashlib.sha256(output.encode()).hexdigest():.12}"


class Job:
    """A job in the namespace of a step.

    Its name tells which work it is, so that a later try of the step finds it: one that still runs
    is waited for, one that failed is started anew.

    Args:
        cluster: The namespace.
        kind: The kind of job.
        manifest: The job, with its name.
        pod: The pod of the step, without which Kubernetes deletes the job.
    """

    def __init__(
        self,
        cluster: StepCluster,
        kind: JobKind,
        manifest: Mapping[str, Any],
        pod: StepPod,
    ) -> None:
        self._cluster, self._kind, self._pod = cluster, kind, pod
        self._name = str(manifest["metadata"]["name"])
        self._manifest = {
            **manifest,
            "metadata": {
                **manifest["metadata"],
                "labels": {**manifest["metadata"].get("labels", {}), **pod.labels},
                "ownerReferences": [pod.owner],
            },
        }
        self._news = PodNews(cluster, f"{kind.pods}={self._name}", kind.container, kind.followed)

    def run(self) -> dict[str, Any]:
        """Start the job, log its progress, and return it once it is complete.

        A signal that ends the step ends the job as well. A server that stays away does not: the
        next try of the step finds the job.

        Raises:
            ClusterError: If the API server refuses the job, or stays away.
            WorkError: If the job fails or is deleted, with the last lines of the pod that failed.
        """
        self._start()
        try:
            return self._end()
        except (KeyboardInterrupt, SystemExit):
            _log.warning("train: deleting %s %s, since the step is stopped", *self._what)
            self._cluster.delete(self._kind.path, self._name)
            raise

    @property
    def _what(self) -> tuple[str, str]:
        return str(self._manifest["kind"]), self._name

    def _start(self) -> None:
        while not self._is_started():
            time.sleep(self._cluster.pause_seconds)

    def _is_started(self) -> bool:
        """Create the job, or take over that of an earlier try; False if that is being deleted."""
        found = self._cluster.read(self._kind.path, self._name)
        if not found:
            try:
                self._cluster.create(self._kind.path, self._manifest)
            except ConflictError:
                return False
            _log.info("train: started %s %s", *self._what)
            return True
        metadata = found["metadata"]
        if metadata.get("deletionTimestamp"):
            return False
        if self._state(found) == self._kind.failed:
            self._cluster.delete(self._kind.path, self._name)
            return False
        owners = metadata.get("ownerReferences") or []
        if self._pod.owner["uid"] not in {each["uid"] for each in owners}:
            self._cluster.set_owners(self._kind.path, self._name, [*owners, self._pod.owner])
        _log.info("train: %s %s of an earlier try goes on", *self._what)
        return True

    def _end(self) -> dict[str, Any]:
        told = ""
        while True:
            found = self._cluster.read(self._kind.path, self._name)
            if not found:
                rule = "was deleted before it had ended"
                raise WorkError(" ".join(self._what), rule, "Start the run again")
            self._news.look()
            state, before = self._state(found), told
            told = _ADMISSION if state == _SUSPENDED else self._kind.progress(found)
            if told not in {"", before}:
                _log.info("train: %s %s: %s", *self._what, told)
            if state == self._kind.failed:
                rule = f"failed: {self._news.failure() or self._message(found)}"
                raise WorkError(" ".join(self._what), rule, "See the log above")
            if state == self._kind.complete:
                return found
            time.sleep(self._cluster.pause_seconds)

    def _state(self, job: Mapping[str, Any]) -> str:
        """The condition of a job that holds and says most; empty while it runs."""
        true = {each["type"] for each in _conditions(job) if each["status"] == "True"}
        telling = (self._kind.complete, self._kind.failed, _SUSPENDED)
        return next((each for each in telling if each in true), "")

    def _message(self, job: Mapping[str, Any]) -> str:
        of_failure = [each for each in _conditions(job) if each["type"] == self._kind.failed]
        return "; ".join(each.get("message", "") for each in of_failure)


def _conditions(job: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (job.get("status") or {}).get("conditions") or ()
