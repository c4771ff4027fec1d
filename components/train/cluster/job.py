"""A job of another system that a step starts, waits for, and takes with it when it is stopped."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from components.api_server import ConflictError
from components.errors import WorkError
from components.train.cluster.api import Kind, StepCluster
from components.train.cluster.pod_news import PodNews
from components.train.cluster.step_pod import StepPod

_log = logging.getLogger(__name__)
COMPLETE, FAILED, SUSPENDED = "Complete", "Failed", "Suspended"


class Job:
    """A job in the namespace of a step.

    Its name tells which work it is, so that a later try of the step finds it: one that still runs
    is waited for, one that failed is started anew.

    Args:
        cluster: The namespace.
        kind: The kind of job.
        manifest: The job, with its name.
        pod: The pod of the step, without which Kubernetes deletes the job.
        pods: Label of the job's pods; its value is the name of the job.
    """

    def __init__(
        self,
        cluster: StepCluster,
        kind: Kind,
        manifest: Mapping[str, Any],
        pod: StepPod,
        pods: str,
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
        self._news = PodNews(cluster, f"{pods}={self._name}")

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
            self._cluster.delete(self._kind, self._name)
            raise

    @property
    def _what(self) -> tuple[str, str]:
        return str(self._manifest["kind"]), self._name

    def _start(self) -> None:
        while not self._is_started():
            time.sleep(self._cluster.pause_seconds)

    def _is_started(self) -> bool:
        """Create the job, or take over that of an earlier try; False if that is being deleted."""
        found = self._cluster.read(self._kind, self._name)
        if not found:
            try:
                self._cluster.create(self._kind, self._manifest)
            except ConflictError:
                return False
            _log.info("train: started %s %s", *self._what)
            return True
        metadata = found["metadata"]
        if metadata.get("deletionTimestamp"):
            return False
        if _state(found) == FAILED:
            self._cluster.delete(self._kind, self._name)
            return False
        owners = metadata.get("ownerReferences") or []
        if self._pod.owner["uid"] not in {each["uid"] for each in owners}:
            self._cluster.set_owners(self._kind, self._name, [*owners, self._pod.owner])
        _log.info("train: %s %s of an earlier try goes on", *self._what)
        return True

    def _end(self) -> dict[str, Any]:
        state = ""
        while True:
            found = self._cluster.read(self._kind, self._name)
            if not found:
                rule = "was deleted before it had ended"
                raise WorkError(" ".join(self._what), rule, "Start the run again")
            self._news.look()
            before, state = state, _state(found)
            if state == SUSPENDED != before:
                _log.info("train: %s %s waits to be admitted by its queue", *self._what)
            if state == FAILED:
                rule = f"failed: {self._news.failure() or _message(found)}"
                raise WorkError(" ".join(self._what), rule, "See the log above")
            if state == COMPLETE:
                return found
            time.sleep(self._cluster.pause_seconds)


def _state(job: Mapping[str, Any]) -> str:
    """The condition of a job that holds and says most; empty while it runs."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    true = {each["type"] for each in conditions if each["status"] == "True"}
    return next((each for each in (COMPLETE, FAILED, SUSPENDED) if each in true), "")


def _message(job: Mapping[str, Any]) -> str:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return "; ".join(each.get("message", "") for each in conditions if each["type"] == FAILED)
