"""How a run ended, asked where it is known.

KFP tells its exit handler what its metadata store says, where only launchers write: a run that
succeeded or whose driver failed is RUNNING there, and there are no errors. The Workflow knows.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)

from components.artifacts.jobs import EXPERIMENTS, TRAIN_JOBS
from components.artifacts.remarks import remarks_in
from components.errors import ClusterError, StepError
from components.outcome.cluster import RunCluster, of_pod
from components.outcome.last_words import told
from components.outcome.workflow import SUCCEEDED, UNKNOWN, Failure, Workflow

NOT_DEPLOYED = "the gate was not passed, so nothing was deployed"
"""Said of a run that succeeded without its last step."""

_LAST_STEP = "deploy"
_SETTLE_SECONDS = 30.0
_PAUSE_SECONDS = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """The end of a run.

    Args:
        state: `SUCCEEDED`, `FAILED`, `CANCELLED`, or `UNKNOWN` if it cannot be found out.
        step: The step that failed first; empty if none did.
        error: Why it did not succeed, each step in its own words, or what it has not done.
    """

    state: str
    step: str = ""
    error: str = ""


def ending_on_cluster(workflow: str, task: str) -> Ending:
    """Ask the cluster how a run has ended, as the account of this pod.

    Args:
        workflow: Name of the run's Workflow.
        task: Task whose end is that of the run.
    """
    try:
        return read_ending(of_pod(), workflow, task)
    except StepError as error:
        return Ending(UNKNOWN, error=str(error))
    except Exception as error:  # noqa: BLE001 (whatever it is, the end must be recorded)
        _log.exception("outcome: workflow %s", workflow)
        return Ending(UNKNOWN, error=f"{type(error).__name__}: {error}")


def read_ending(
    cluster: RunCluster, workflow: str, task: str, settle_seconds: float = _SETTLE_SECONDS
) -> Ending:
    """Read from the cluster how a run has ended.

    Args:
        cluster: Namespace of the run.
        workflow: Name of its Workflow.
        task: Task whose end is that of the run.
        settle_seconds: How long Argo may take to write it down, and the API server to answer.

    Raises:
        ClusterError: If the Workflow cannot be read.
    """
    again = Retrying(
        retry=retry_if_result(lambda read: not read.ended(task))
        | retry_if_exception_type(ClusterError),
        stop=stop_after_delay(settle_seconds),
        wait=wait_fixed(min(_PAUSE_SECONDS, settle_seconds)),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )
    read: Workflow = again(cluster.workflow, workflow)
    state = read.ended(task) or UNKNOWN
    if state == SUCCEEDED:
        return Ending(state, error=left_out(read, cluster.log))
    _end_training(cluster, workflow)
    failures = read.failures()
    return Ending(
        state=state,
        step=failures[0].step if failures else "",
        error="; ".join(_told(cluster, failure) for failure in failures),
    )


def left_out(workflow: Workflow, log_of: Callable[[str], str]) -> str:
    """Say what a run that succeeded has not done; empty if it has done all.

    Args:
        workflow: The run's Workflow.
        log_of: Reads the log of a pod, given its name; raises ClusterError.
    """
    if not workflow.began(_LAST_STEP):
        return NOT_DEPLOYED
    return "; ".join(remarks_in(_read(log_of, workflow.pod_of(_LAST_STEP))))


def _end_training(cluster: RunCluster, workflow: str) -> None:
    """End what a step could not: a pod that is killed at once leaves its jobs running."""
    for kind in (EXPERIMENTS, TRAIN_JOBS):
        try:
            cluster.end_jobs(kind, workflow)
        except ClusterError as error:
            _log.warning("outcome: %s", error)


def _told(cluster: RunCluster, failure: Failure) -> str:
    return told(failure, _read(cluster.log, failure.pod))


def _read(log_of: Callable[[str], str], pod: str) -> str:
    try:
        return log_of(pod) if pod else ""
    except ClusterError as error:
        _log.warning("outcome: %s", error)
        return ""
