"""The outcome step: how a run ended, kept with its artifacts and sent to people."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from components import storage
from components.artifacts.registry import RUNS
from components.errors import InputError, StepError, WorkError
from components.kubeconfig import require_http_proxies
from components.outcome.settings import OutcomeSettings
from components.outcome.workflow import SUCCEEDED, UNKNOWN

_log = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 10.0
_ATTEMPTS = 4


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Args:
        pipeline: Name of the pipeline.
        run_id: The run.
        state: `SUCCEEDED`, `FAILED`, `CANCELLED`, or `UNKNOWN`.
        step: The step that failed first; empty if none did.
        error: Why it did not succeed, why that is not known, or what it has not done.
        ended: Time, in UTC as ISO 8601 writes it.

    Raises:
        InputError: If the id of the run cannot be the name of a file.
    """

    pipeline: str
    run_id: str
    state: str
    step: str = ""
    error: str = ""
    ended: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def __post_init__(self) -> None:
        if not self.run_id or "/" in self.run_id:
            rule = "is not the id of a run, which names a file"
            raise InputError(f"run {self.run_id!r}", rule, "Use the id that KFP shows")

    @property
    def text(self) -> str:
        """The outcome as a sentence for people."""
        words = {SUCCEEDED: "succeeded", UNKNOWN: "ended, nobody could say how"}
        word = words.get(self.state, f"ended as {self.state}")
        reason = f": {self.error}" if self.error else ""
        return f"{self.pipeline}, run {self.run_id}, {word}{reason}"


def outcome(settings: OutcomeSettings, ended: Outcome, output: Path) -> None:
    """Write down how a run ended and report it; a report that fails does not fail the run.

    Args:
        settings: Where it is reported.
        ended: The end of the run.
        output: JSON file to write.
    """
    _log.info("outcome: %s", ended.text)
    record = json.dumps(asdict(ended), indent=2) + "\n"
    output.write_text(record, encoding="utf-8")
    if settings.registry:
        runs = f"{settings.registry.rstrip('/')}/{RUNS}"
        name = f"{ended.run_id}.json"
        _try(f"record at {runs}", lambda: storage.open_store(runs).write(name, record.encode()))
    if settings.webhook_url:
        content = {"text": ended.text, **asdict(ended)}
        pause = settings.webhook_pause_seconds
        _try("webhook", lambda: _send(settings.webhook_url, content, pause))


def _try(what: str, report: Callable[[], None]) -> None:
    try:
        report()
    except Exception as error:  # noqa: BLE001 (whatever it is, the run has ended as it has)
        # Other errors may quote the webhook's URL, which is a secret.
        reason = error if isinstance(error, StepError) else type(error).__name__
        _log.warning("outcome: %s failed: %s", what, reason)
    else:
        _log.info("outcome: %s done", what)


def _send(url: str, content: Mapping[str, Any], longest_pause_seconds: float) -> None:
    """POST JSON, and try again while the receiver cannot be reached or is overloaded.

    No error and no log line names the URL, which is a secret. Receivers that speak Slack's protocol
    show the content's `text`.

    Source: https://api.slack.com/messaging/webhooks
    """
    again = Retrying(
        retry=retry_if_exception_type(WorkError),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(0.5, longest_pause_seconds),
        reraise=True,
    )
    again(_post, url, content)


def _post(url: str, content: Mapping[str, Any]) -> None:
    require_http_proxies()
    try:
        # Nobody needs the answer's body, so it is not read.
        with httpx.stream("POST", url, json=content, timeout=_TIMEOUT_SECONDS) as answer:
            status = answer.status_code
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        rule = "is not the address of an HTTP server"
        raise InputError("webhook", rule, "Correct WEBHOOK_URL") from None
    except httpx.TransportError as error:
        rule = f"cannot be reached ({type(error).__name__})"
        raise WorkError("webhook", rule, "Check WEBHOOK_URL and the network") from None
    if status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status):
        raise WorkError("webhook", f"answered {status}", "Look at the receiver")
    if not httpx.codes.is_success(status):
        raise InputError("webhook", f"answered {status}", "Check WEBHOOK_URL and its receiver")
