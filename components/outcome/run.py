"""The outcome step: what became of a run, kept beside its artifacts and sent to people."""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from components import storage
from components.artifacts.registry import RUNS
from components.errors import StepError
from components.outcome.webhook import send

_log = logging.getLogger(__name__)
# KFP's own word, and that of the metadata store behind it.
_SUCCESS = {"SUCCEEDED", "COMPLETE"}


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        pipeline: Name of the pipeline.
        run_id: The run.
        state: What KFP says: `SUCCEEDED`, `FAILED` or `CANCELLED`.
        error: Why it did not succeed, as far as KFP knows.
        ended: When, in UTC as ISO 8601 writes it.

    Source: https://kubeflow-pipelines.readthedocs.io/en/latest/source/dsl.html
    """

    pipeline: str
    run_id: str
    state: str
    error: str = ""
    ended: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def text(self) -> str:
        """The outcome, said to a person."""
        word = "succeeded" if self.state in _SUCCESS else f"ended as {self.state}"
        reason = f": {self.error}" if self.error else ""
        return f"{self.pipeline}, run {self.run_id}, {word}{reason}"


def outcome(ended: Outcome, output: Path, registry: str, webhook_url: str) -> None:
    """Write down how a run ended and send it; a report that fails does not fail the run.

    Args:
        ended: What to report.
        output: File to write, as JSON.
        registry: Folder (path or URI) that takes a copy at `runs/<run id>.json`; may be empty.
        webhook_url: Takes the same as a POST request, with `text` for people; may be empty.
    """
    _log.info("outcome: %s", ended.text)
    record = json.dumps(asdict(ended), indent=2) + "\n"
    output.write_text(record, encoding="utf-8")
    if registry:
        runs = f"{registry.rstrip('/')}/{RUNS}"
        name = f"{ended.run_id}.json"
        _try(f"record at {runs}", lambda: storage.open_store(runs).write(name, record.encode()))
    if webhook_url:
        _try("webhook", lambda: send(webhook_url, {"text": ended.text, **asdict(ended)}))


def _try(what: str, report: Callable[[], None]) -> None:
    try:
        report()
    except Exception as error:  # noqa: BLE001 (whatever it is, the run has ended as it has)
        # Other errors may quote the webhook's URL, which is a secret.
        reason = error if isinstance(error, StepError) else type(error).__name__
        _log.warning("outcome: %s failed: %s", what, reason)
    else:
        _log.info("outcome: %s done", what)
