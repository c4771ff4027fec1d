"""A run watched until it ends: what changes, what waits, and why it failed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import kfp_server_api as api
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)
from urllib3.exceptions import HTTPError

from components.errors import InputError, StepError
from components.outcome.ending import left_out
from components.outcome.last_words import told
from components.outcome.workflow import Waiting
from pipelines.compile.resources import RESOURCES
from pipelines.submit.observed import ObservedRun
from pipelines.submit.submission import ENDED

_PATIENCE = timedelta(minutes=1)
_EVENTS = 3


def watch(
    observed: ObservedRun,
    hours: float,
    say: Callable[[str], None],
    poll_seconds: float = 10.0,
) -> api.V2beta1Run:
    """Wait until a run has ended.

    Args:
        observed: The run; a request without an answer is repeated.
        hours: Longest wait.
        say: Receives a line whenever a step changes its state, or a pod does not start.
        poll_seconds: Pause between two queries.

    Returns:
        The run, however it ended.

    Raises:
        InputError: If it has not ended by then; it keeps running.
    """
    reported: dict[str, str] = {}
    waiting = _WaitingPods(observed)

    def look() -> api.V2beta1Run:
        run = observed.status()
        changed = _changes(_states(observed, run), reported)
        for line in [*changed, *waiting.lines(run)]:
            say(line)
        return run

    poll = Retrying(
        retry=retry_if_result(lambda run: run.state not in ENDED) | retry_if_exception(_is_passing),
        wait=wait_fixed(poll_seconds),
        stop=stop_after_delay(hours * 3600),
    )
    try:
        return poll(look)
    except RetryError as error:
        rule = f"has not ended after {hours:g} h"
        fix = "It keeps running; look at it in the UI"
        raise InputError(f"run {observed.run_id}", rule, fix) from error


def failures(observed: ObservedRun, run: api.V2beta1Run) -> list[str]:
    """Reasons why a run did not succeed, one text for each failure; empty if it did.

    Args:
        observed: The run.
        run: Its end, as `watch` returned it.
    """
    if run.state == "SUCCEEDED":
        return []
    try:
        workflow = observed.workflow()
    except (api.ApiException, HTTPError, ValueError) as error:
        steps = [task.display_name for task in _tasks(run) if task.state == "FAILED"]
        named = ", ".join(step for step in steps if step in RESOURCES) or "none of the steps"
        return [
            f"run {run.state}; failed: {named}",
            f"why cannot be read from here: {_short(error)}",
        ]
    return [f"run {run.state}"] + [
        told(failure, observed.log(workflow.namespace, failure.pod) if failure.pod else "")
        for failure in workflow.failures()
    ]


def remarks(observed: ObservedRun, run: api.V2beta1Run) -> list[str]:
    """What is to be said of a run that succeeded; nothing if it cannot be read from here."""
    if run.state != "SUCCEEDED":
        return []
    try:
        workflow = observed.workflow()
        log_of = partial(observed.log, workflow.namespace)
        return list(filter(None, [left_out(workflow, log_of)]))
    except (api.ApiException, HTTPError, ValueError):
        return []


class _WaitingPods:
    """The pods of a run that do not start, each said once for each reason."""

    def __init__(self, observed: ObservedRun) -> None:
        self._observed = observed
        self._said: set[str] = set()
        self._blind = False

    def lines(self, run: api.V2beta1Run) -> list[str]:
        """What has not been said yet; a cluster that cannot be asked never ends the watch."""
        tasks = _tasks(run)
        if tasks and not any(_is_waiting(task) for task in tasks):
            return []
        try:
            workflow = self._observed.workflow()
        except (api.ApiException, HTTPError, ValueError) as error:
            return self._new([f"pods that wait cannot be looked at from here: {_short(error)}"])
        lines = []
        for pod in workflow.waiting(_PATIENCE, datetime.now(UTC)):
            lines += self._about(workflow.namespace, pod)
        return self._new(lines)

    def _about(self, namespace: str, waiting: Waiting) -> list[str]:
        reasons, notes = [waiting.message], []
        if not self._blind:
            try:
                events = self._observed.events(namespace, waiting.pod)
                reasons += list(dict.fromkeys(reversed(events)))[:_EVENTS]
            except StepError as error:
                self._blind = True
                notes = [f"events of pods cannot be read from here: {error}"]
        why = "; ".join(filter(None, reasons)) or "the cluster gives no reason"
        head = f"{waiting.step}: pod {waiting.pod} has been waiting for more than a minute"
        return [f"{head}: {why}", *notes]

    def _new(self, lines: Sequence[str]) -> list[str]:
        new = [line for line in lines if line not in self._said]
        self._said.update(new)
        return new


def _is_waiting(task: api.V2beta1PipelineTaskDetail) -> bool:
    if task.state != "PENDING" or not task.start_time:
        return False
    return bool(datetime.now(UTC) - task.start_time > _PATIENCE)


def _is_passing(error: BaseException) -> bool:
    """True if another request may succeed."""
    if isinstance(error, api.ApiException):
        return int(error.status) == 429 or int(error.status) >= 500
    return isinstance(error, HTTPError)


def _changes(states: Mapping[str, tuple[str, str]], reported: dict[str, str]) -> list[str]:
    lines = []
    for task, (step, state) in states.items():
        if step in RESOURCES and reported.get(task) != state:
            reported[task] = state
            lines.append(f"{step}: {state.lower()}")
    return lines


def _states(observed: ObservedRun, run: api.V2beta1Run) -> dict[str, tuple[str, str]]:
    """Step and state of every task that has begun, by the task's id."""
    if tasks := _tasks(run):
        return {task.task_id: (task.display_name, str(task.state)) for task in tasks}
    # KFP 3 keeps tasks elsewhere, and the run no longer has their details.
    try:
        return {step: (step, state) for step, state in observed.workflow().states().items()}
    except (api.ApiException, HTTPError, ValueError):
        return {}


def _tasks(run: api.V2beta1Run) -> list[api.V2beta1PipelineTaskDetail]:
    return (run.run_details and run.run_details.task_details) or []


def _short(error: Any) -> str:
    """An error without the headers and body that KFP's client adds."""
    if isinstance(error, api.ApiException):
        return f"{error.status} {error.reason}"
    return f"{type(error).__name__}: {error}"
